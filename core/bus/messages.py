"""What processes tell each other, as short JSON texts; one topic each.

A message is at most :data:`LIMIT` bytes, with a picture :data:`PREVIEW_LIMIT`. What cannot be
understood is None: another version wrote it, and the rows say the same a little later.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.domain.clip_preview import read_preview as read_picture
from core.domain.decoding import UndecodableError, decode, parse_object
from core.domain.progress import Progress
from core.domain.progress_text import read_progress as read_event
from core.domain.progress_text import write_progress
from core.domain.prompt_preview import JobPreview, PromptPreview, prompt_preview
from core.storage.terms import TOPIC as TERM_TOPIC

LIMIT = 500  # bytes; PostgreSQL takes 8 000, but every listener of the cluster reads each
PREVIEW_LIMIT = 7_900  # bytes; fronts alone listen to these


class Topic(StrEnum):
    """What a message is about, and so who listens."""

    WORK = "clapper_work"  # there may be something to claim
    CANCEL = "clapper_cancel"
    PROGRESS = "clapper_progress"
    PREVIEW = "clapper_preview"
    OWED = "clapper_owed"  # the outbox owes something
    LINK = "clapper_link"  # a node without a key of the bucket asks for a signature
    LINKED = "clapper_linked"  # one is given
    TERM = TERM_TOPIC  # a term is free, or wanted; sent with the rows themselves


LINKS = frozenset({Topic.LINK, Topic.LINKED})
CHANGES = frozenset({Topic.WORK, Topic.CANCEL, Topic.OWED})  # said after rows changed


@dataclass(frozen=True, slots=True)
class CancelMessage:
    """Stop the attempt at a job."""

    job: str
    by: str


@dataclass(frozen=True, slots=True)
class ProgressMessage:
    """How far a job is, and at which attempt."""

    job: str
    attempt: int
    event: Progress


@dataclass(frozen=True, slots=True)
class PreviewMessage:
    """What an attempt at a job has made so far."""

    job: str
    attempt: int
    preview: JobPreview


def of_cancel(message: CancelMessage) -> str:
    """Write a cancel as text."""
    return _text({"job": message.job, "by": message.by})


def of_progress(message: ProgressMessage) -> str:
    """Write progress as text."""
    where = {"job": message.job, "attempt": message.attempt}
    return _text({**where, "event": write_progress(message.event)})


def of_preview(message: PreviewMessage) -> str:
    """Write a preview as text."""
    where, preview = {"job": message.job, "attempt": message.attempt}, message.preview
    if isinstance(preview, PromptPreview):
        return _text({**where, "prompt": preview.words})
    return _text({**where, "moments": preview.moments, "picture": preview.text})


def read_cancel(text: str) -> CancelMessage | None:
    """Read what :func:`of_cancel` wrote."""
    try:
        return decode(CancelMessage, parse_object(text))
    except UndecodableError:
        return None


def read_progress(text: str) -> ProgressMessage | None:
    """Read what :func:`of_progress` wrote."""
    data = parse_object(text)
    job, attempt, event = data.get("job"), data.get("attempt"), read_event(data.get("event"))
    if not isinstance(job, str) or not isinstance(attempt, int) or event is None:
        return None
    return ProgressMessage(job, attempt, event)


def read_preview(text: str) -> PreviewMessage | None:
    """Read what :func:`of_preview` wrote."""
    data = parse_object(text)
    job, attempt = data.get("job"), data.get("attempt")
    preview = _preview_in(data)
    if not isinstance(job, str) or not isinstance(attempt, int) or preview is None:
        return None
    return PreviewMessage(job, attempt, preview)


def _preview_in(data: Mapping[str, object]) -> JobPreview | None:
    words, moments, picture = (data.get(name) for name in ("prompt", "moments", "picture"))
    if isinstance(words, str):
        return prompt_preview(words)
    if not isinstance(moments, int) or not isinstance(picture, str):
        return None
    return read_picture(picture, moments)


def _text(data: dict[str, object]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
