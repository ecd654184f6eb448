"""Write the caption of a clip: whose it is, what it was asked for with, and how it was made."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bots.shared.cutting import cut, one_line
from bots.shared.texts import Texts
from core.domain.followups import Action
from core.domain.jobs import Job
from core.i18n.messages import SHORT_ID, say
from core.service.public_clips import ClipCaption

LEAST_PROMPT = 20  # units; less of a prompt says nothing


@dataclass(frozen=True, slots=True)
class Telling:
    """What a caption tells beside the facts of a clip."""

    facts: ClipCaption = field(default_factory=ClipCaption)
    maker: str = ""  # in the platform's markup; empty where they alone read it
    publishable: bool = False  # its maker may show it in a feed


def caption(
    texts: Texts,
    job: Job,
    telling: Telling,
    limit: int,
    more: Sequence[str] = (),
    body: str | None = None,
) -> str:
    """Write the caption of a finished clip within ``limit``, as the platform counts.

    The prompt is what is cut: everything else has to be read whole. ``body`` stands for the facts
    of the clip, where there are several.
    """
    lines = [*_of_whom(texts, job, telling), texts.result(job) if body is None else body, *more]
    rest, markup = "\n".join(lines), texts.markup
    prompt = one_line(telling.facts.prompt)
    quoting = markup.units(markup.shown(markup.quote("x")))  # one too many, for the line break
    room = limit - markup.units(markup.shown(rest)) - quoting
    if not prompt or room < LEAST_PROMPT:
        return rest
    return f"{markup.quote(cut(prompt, room, markup.units))}\n{rest}"


def alt_text(texts: Texts, job: Job, prompt: str, limit: int) -> str:
    """Describe the clip for people who cannot see it, with as much as all may read."""
    data = {"mode": job.mode_word, "prompt": prompt}
    code = "alt_text" if prompt else "alt_text_plain"
    return say(code, data, texts.locale)[:limit]


def _of_whom(texts: Texts, job: Job, telling: Telling) -> list[str]:
    """Name who asked, and the clip that it was made from."""
    parts = [say("caption_maker", {"maker": telling.maker}, texts.locale)] if telling.maker else []
    if job.origin is not None and job.origin.action == Action.REMIX:
        parts.append(remix_of(texts, telling.facts.parent_link))
    return [" · ".join(parts)] if parts else []


def remix_of(texts: Texts, link: str) -> str:
    """Say that a clip is a remix, and of which where ``link`` opens that one."""
    if not link:
        return texts.say("caption_remix")
    shown = texts.markup.link(link, texts.say("caption_clip"))
    return say("caption_remix_of", {"clip": shown}, texts.locale)


def origin_line(texts: Texts, job: Job, link: str, *, own: bool) -> str:
    """Say what ``job`` was made from; empty where it was typed.

    Args:
        texts: of the reader.
        job: which.
        link: to what it was made from, where the reader may open it; or nothing.
        own: the reader made it, so what it was made from by another button is theirs as well.
    """
    origin = job.origin
    if origin is None:
        return ""
    if origin.action == Action.REMIX:
        return remix_of(texts, link)
    if not own or origin.parent_id is None:
        return ""
    label = say(f"{origin.action}_label", {}, texts.locale)
    parent = (
        texts.markup.link(link, origin.parent_id[:SHORT_ID])
        if link
        else (origin.parent_id[:SHORT_ID])
    )
    return say("details_origin", {"label": label, "job": parent}, texts.locale)
