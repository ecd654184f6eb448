"""What a clip was made from, and which drafts were asked for together."""

from dataclasses import dataclass

DRAFTS = 4  # of one request, where somebody chooses among several


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
