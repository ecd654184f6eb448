"""What a clip was made from, and which drafts were asked for together."""

from dataclasses import dataclass

DRAFTS = 4  # of one request, where somebody chooses among several


def key_of_draft(key: str, number: int) -> str:
    """Return the idempotency key of draft ``number`` (1, 2, …) of what ``key`` asks for.

    Keys begin with the name of a front, so no front gives one like that of a further draft.
    """
    return key if number == 1 else f"#{number} {key}"


@dataclass(frozen=True, slots=True)
class JobOrigin:
    """The button that asked for a clip, and the job that it was under."""

    action: str  # a member of :class:`core.domain.followups.Action`
    parent_id: str | None = None  # None: that job was deleted since


@dataclass(frozen=True, slots=True)
class DraftGroup:
    """The place of a job among the drafts that one request asked for."""

    id: str  # of the group: the id of its first job
    number: int  # 1, 2, … ``size``
    size: int


@dataclass(frozen=True, slots=True)
class ShownClip:
    """Where a clip is shown to everybody who reads there."""

    place: str  # as of :class:`core.domain.people.Caller`
    post: str  # the platform's id of the message, ``channel/message``
    link: str = ""  # opens the message; empty where the platform has no such address
