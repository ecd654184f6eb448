"""Styles and defaults that cannot be kept or found."""

from core.errors.input import InvalidInput
from core.errors.refusals import Refused


class StyleUnknown(InvalidInput):
    """No style is called so here; ``known`` are those that are, comma separated."""

    value: str
    known: str


class StyleRefused(InvalidInput):
    """A value of a style, or of the defaults of something, that is not possible.

    ``entry`` says of which, such as ``style.noir``; ``possible`` is what may stand there.
    """

    entry: str
    field: str
    value: str
    possible: str


class StylesUnreadable(InvalidInput):
    """A file of styles is none; ``reason`` says where."""

    reason: str


class ManagersOnly(Refused):
    """Only operators of the bot, and who runs the place, may do this."""
