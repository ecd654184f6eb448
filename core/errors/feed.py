"""Refusals of what people publish in a feed, take down and report."""

from core.errors.input import InvalidInput
from core.errors.refusals import Refused


class FeedClosed(Refused):
    """No operator chose a channel for clips of this place."""


class FeedAway(Refused):
    """The platform of the feed cannot be reached from here just now; ``platform`` is its name."""

    platform: str


class FeedTakenDown(Refused):
    """An operator took this clip down, so its maker cannot publish it again."""


class FeedTooOften(Refused):
    """Somebody published as many clips as they may within an hour."""

    most: int


class PostUnknown(InvalidInput):
    """There is no such post in a feed; ``value`` is what was typed."""

    value: str


class ReportNotTaken(Refused):
    """A report is not passed on; ``why`` names the sentence that says why."""

    why: str


class ChannelUnfit(InvalidInput):
    """The bot cannot post in a channel; ``value`` is the channel, ``why`` names what is missing."""

    value: str
    why: str
