"""Refusals of who may use the bots, and of what the bot itself may not do in a place."""

from core.errors.input import InvalidInput
from core.errors.refusals import Refused


class AccessClosed(Refused):
    """Nobody let this person in yet; a front offers to ask."""


class AccessNotAsked(Refused):
    """A request for access is not passed on; ``why`` names the sentence that says why."""

    why: str


class BotRightsMissing(Refused):
    """The bot may not post files in this channel of Discord."""


class ChatRightsMissing(Refused):
    """The bot may not post videos in this group of Telegram."""


class RuleLocksOut(InvalidInput):
    """A rule of a place that nobody there could meet."""

    field: str


class AccountUnknown(InvalidInput):
    """Not an account: a name, an unknown platform, or no id; ``value`` is what was typed."""

    value: str


class EntryUnknown(InvalidInput):
    """Not an entry of who may use the bots; ``value`` is what was typed."""

    value: str
