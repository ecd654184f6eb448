"""Progress as a short text: stored beside its job, and sent to other processes."""

import json

from core.domain.decoding import DECODING_ERRORS, decode, parse_object
from core.domain.progress import Downloading, Progress, Waiting, Working

_FILE = 120  # characters kept of the name of a downloaded file, the last ones
_KINDS: dict[str, type[Waiting | Downloading | Working]] = {
    "waiting": Waiting,
    "downloading": Downloading,
    "working": Working,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def write_progress(event: Progress) -> str:
    """Write ``event`` as JSON of at most 400 bytes."""
    fields = {name: getattr(event, name) for name in type(event).__slots__}
    if isinstance(event, Downloading):
        fields["file"] = event.file[-_FILE:].encode("ascii", "replace").decode()
    return json.dumps({"kind": _NAMES[type(event)], **fields}, separators=(",", ":"))


def read_progress(text: str | None) -> Progress | None:
    """Read what :func:`write_progress` wrote; None of what another version wrote."""
    data = parse_object(text)
    try:
        return decode(_KINDS[data.pop("kind")], data)
    except DECODING_ERRORS:
        return None
