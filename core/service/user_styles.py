"""What others chose for a caller, and who may choose it."""

from collections.abc import Callable, Collection

from core.accounts.styles import PlaceStyles, StyleBook
from core.domain.limits import RequestLimits
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.people import Caller
from core.domain.policy import EVERYWHERE
from core.domain.styles import FilledOptions, Style, fill, find_style, key_of, style_named
from core.domain.words import StyleWords
from core.errors import ManagersOnly, StyleUnknown

__all__ = ["PlaceStyles", "UserStyles"]


class UserStyles:
    """Finds styles and defaults for callers; changes them for who runs a place."""

    def __init__(
        self, book: StyleBook, limits: RequestLimits, is_operator: Callable[[Caller], bool]
    ) -> None:
        self._book = book
        self._limits = limits
        self._is_operator = is_operator

    async def listed(self, caller: Caller) -> list[Style]:
        """List the styles that the caller may use where they ask."""
        return await self._book.styles(caller.place)

    async def names(self, caller: Caller, typed: str, most: int) -> list[str]:
        """List the names of styles that contain what was ``typed``, at most ``most``."""
        names = [one.name for one in await self.listed(caller)]
        return [name for name in names if key_of(typed) in key_of(name)][:most]

    async def fill(
        self,
        caller: Caller,
        mode: Mode,
        options: Options,
        roles: Collection[str],
        kept: StyleWords | None = None,
    ) -> FilledOptions:
        """Choose for the caller what they did not.

        Args:
            caller: who, and where.
            mode: of the request.
            options: what was typed.
            roles: of the files.
            kept: a style with its words of before, which goes on under its name.

        Raises:
            StyleUnknown: they typed the name of none.
        """
        levels = await self._book.levels(caller.place, caller.asker)
        name, source = style_named(options.style, levels)
        style: Style | None = None
        if kept is not None and name and key_of(kept.name) == key_of(name):
            style = Style(kept)
        elif name:
            known = await self._book.styles(caller.place)
            style = find_style(known, name)
            if style is None and not source:
                raise StyleUnknown(name[:40], ", ".join(one.name for one in known) or "–")
        return fill(mode, options, roles, levels, style)

    def of_place(self, caller: Caller, *, everywhere: bool = False) -> PlaceStyles:
        """Return what changes the caller's place, or what holds in all places.

        Raises:
            ManagersOnly: they neither run the place nor operate the bot.
        """
        if not (self._is_operator(caller) or (caller.manages_place and not everywhere)):
            raise ManagersOnly
        place = EVERYWHERE if everywhere else caller.place
        return self._book.of_place(caller.requester, place, self._limits)
