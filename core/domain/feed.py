"""Clips that their makers publish in a channel for all: the feed, what is in it, what is reported.

Nothing is published by itself: a maker asks for each clip, and may take it down at any time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from core.domain.decoding import UndecodableError, decode
from core.domain.jobs import Job
from core.domain.people import Requester

REASON_LENGTH = 300  # characters of why somebody reports a post
NAME_LENGTH = 64  # characters of a maker's name, and of a channel's


class ChannelKind(StrEnum):
    """What a channel is for."""

    FEED = "feed"  # clips are published there
    LOG = "log"  # operators read there what is reported


class PostState(StrEnum):
    """How far a post is; those of the outbox, and one more."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"
    REMOVED = "removed"  # taken down, or never shown


class CaseState(StrEnum):
    """What became of the reports of a post."""

    NONE = ""
    OPEN = "open"
    DISMISSED = "dismissed"
    UPHELD = "upheld"  # the post was taken down


class ReportDecision(StrEnum):
    """What an operator answers to the reports of a post."""

    TAKE_DOWN = "takedown"
    DISMISS = "dismiss"
    BLOCK = "block"  # the maker, and take it down


class ReportReason(StrEnum):
    """Why somebody reports a post, where they choose instead of writing."""

    UNWANTED = "unwanted"
    HURTFUL = "hurtful"
    ADULT = "adult"
    STOLEN = "stolen"


def is_veiled(job: Job) -> bool:
    """Tell whether a clip is hidden until somebody opens it, wherever it was asked for."""
    return job.reply_to.address.get("spoiler", "0") != "0"


def is_private(job: Job) -> bool:
    """Tell whether a clip was asked for where nobody else reads, in a place that others read."""
    return job.reply_to.address.get("private", "0") != "0"


@dataclass(frozen=True, slots=True)
class FeedTarget:
    """A channel of a platform, in that platform's own form of an address."""

    platform: str
    place: str  # as of :class:`core.domain.people.Caller`
    address: dict[str, str] = field(default_factory=dict[str, str])
    title: str = ""  # how people call the channel
    locale: str = ""  # the language that everybody there reads

    @property
    def key(self) -> str:
        """Return the one way to name the channel."""
        parts = [f"{name}={value}" for name, value in sorted(self.address.items()) if value]
        return f"{self.platform}:{','.join(parts)}"

    def moved(self, old: str, new: str) -> Self:
        """Return the channel after its place got another name."""
        if self.place != old:
            return self
        before, after = old.partition(":")[2], new.partition(":")[2]
        address = {key: after if one == before else one for key, one in self.address.items()}
        return replace(self, place=new, address=address)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self | None:
        """Read what was stored; None where this version cannot."""
        try:
            return decode(cls, dict(data))
        except UndecodableError:
            return None


@dataclass(frozen=True, slots=True)
class FeedChannel:
    """A channel that an operator chose, for those of a place or of all places."""

    place: str
    kind: ChannelKind
    target: FeedTarget


@dataclass(frozen=True, slots=True)
class PostContent:
    """What a post says beside the clip."""

    target: FeedTarget
    maker_name: str = ""  # as the platform shows them where they published it
    tells: bool = False  # all may read what the clip was made with, and go on from it
    spoiler: bool = True  # hidden until somebody opens it


@dataclass(frozen=True, slots=True)
class FeedPost:
    """A clip in a feed, or on its way in or out; it outlives the job."""

    id: str  # 32 hex digits
    job_id: str
    maker: Requester
    source: str  # the place where it was published from
    content: PostContent
    state: PostState
    created_at_ms: int
    sent_id: str | None = None  # the platform's id of the message, ``channel/message``
    withdrawn_by: str | None = None  # a requester's key; empty: nobody in particular
    case: CaseState = CaseState.NONE

    @property
    def target(self) -> FeedTarget:
        """Return where it is shown."""
        return self.content.target

    @property
    def withdrawn(self) -> bool:
        """Tell whether somebody took it down; it may take a while until it is gone."""
        return self.withdrawn_by is not None

    @property
    def shown(self) -> bool:
        """Tell whether people may see it now, or soon."""
        over = {PostState.REMOVED, PostState.DEAD}
        return not self.withdrawn and self.state not in over
