"""The styles and defaults of places: kept, found for who asks, changed by who may."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.decoding import UndecodableError, decode
from core.domain.limits import RequestLimits
from core.domain.options import OPTIONS
from core.domain.people import Asker, Requester
from core.domain.policy import EVERYWHERE, Policy
from core.domain.style_file import (
    MOST_BYTES,
    StyleSet,
    read_options,
    read_style,
    read_toml,
    style_values,
    write_toml,
)
from core.domain.styles import MOST_STYLES, STYLE, Level, Style, find_style, key_of
from core.domain.words import StyleWords
from core.errors import StyleRefused, StylesUnreadable, StyleUnknown
from core.storage import moderation, styles
from core.storage.database import Connection, Database


class StyleBook:
    """Reads what holds in a place; :meth:`of_place` changes it."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        """Take the database and the time (epoch ms)."""
        self._database = database
        self._now = now

    async def styles(self, place: str) -> list[Style]:
        """List the styles that people of ``place`` may use: its own, then those of all places."""
        async with self._database.snapshot() as connection:
            own, all_places = (
                await _styles(connection, place),
                await _styles(connection, EVERYWHERE),
            )
        names = {key_of(one.name) for one in own}
        return [*own, *(one for one in all_places if key_of(one.name) not in names)]

    async def levels(self, place: str, asker: Asker) -> list[Level]:
        """Return who chooses for the people of a channel, the narrowest first."""
        async with self._database.snapshot() as connection:
            own = await styles.defaults_of(connection, place)
            everywhere = await styles.defaults_of(connection, EVERYWHERE)
            rules = [await moderation.load_rules(connection, one) for one in (place, EVERYWHERE)]
        enhance = [Policy.from_json(one).enhance if one else "" for one in rules]
        channels = [own.get(one, {}) for one in (asker.channel, asker.parent) if one]
        whole = [own.get("", {}), everywhere.get("", {})]
        found = [Level("channel", _known(one)) for one in channels]
        for source, options, rule in zip(("place", "bot"), whole, enhance, strict=True):
            found.append(Level(source, ({"enhance": rule} if rule else {}) | _known(options)))
        return found

    def of_place(self, actor: Requester, place: str, limits: RequestLimits) -> "PlaceStyles":
        """Return what changes ``place`` in the name of ``actor``, who may."""
        return PlaceStyles(self._database, self._now, actor, place, limits)

    async def forget(self, person: Requester) -> None:
        """Drop the styles and defaults of somebody's private chats, and the notes of them."""
        async with self._database.transaction() as connection:
            await styles.forget(connection, person.private_places)
            await moderation.forget_notes(connection, person.key, person.private_places)

    async def move_place(self, old: str, new: str) -> None:
        """Let the styles and defaults of a place follow it to a new name."""
        async with self._database.transaction() as connection:
            await styles.move(connection, old, new)


@dataclass(frozen=True, slots=True)
class PlaceStyles:
    """Changes the styles and defaults of one place; each change is in the audit log."""

    _database: Database
    _now: Callable[[], int]
    _actor: Requester
    place: str
    _limits: RequestLimits

    async def read(self) -> StyleSet:
        """Return the styles and defaults of the place."""
        async with self._database.snapshot() as connection:
            defaults = await styles.defaults_of(connection, self.place)
            found = await _styles(connection, self.place)
        return StyleSet(tuple(found), {key: _known(one) for key, one in defaults.items()})

    async def save(self, name: str, given: Mapping[str, Any]) -> Style:
        """Keep a style, in the place of one of that name.

        Raises:
            StyleRefused: something in it is not possible, or there are as many as may be.
        """
        style = read_style(name, given, self._limits)
        async with self._database.transaction() as connection:
            await self._save(connection, style)
            await self._note(connection, "style", style.name)
        return style

    async def _save(self, connection: Connection, style: Style) -> None:
        known = await _styles(connection, self.place)
        if find_style(known, style.name) is None and len(known) >= MOST_STYLES:
            raise StyleRefused(
                f"style.{style.name}", STYLE, str(len(known) + 1), f"≤ {MOST_STYLES}"
            )
        body = {"name": style.name, **style_values(style)}
        key = key_of(style.name)
        await styles.save_style(connection, self.place, key, body, self._now())

    async def remove(self, name: str) -> None:
        """Drop a style; clips that were made with it keep its words.

        Raises:
            StyleUnknown: there is none.
        """
        async with self._database.transaction() as connection:
            if not await styles.remove_style(connection, self.place, key_of(name)):
                known = await _styles(connection, self.place)
                raise StyleUnknown(name[:40], ", ".join(one.name for one in known))
            await self._note(connection, "remove_style", name)

    async def set_defaults(self, channel: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Choose options for who chooses none, in a channel or, where that is empty, everywhere.

        Args:
            channel: its id.
            given: by name; ``none`` takes one back, what is left out stays.

        Raises:
            StyleRefused: one is not possible.
            StyleUnknown: no style is called so.
        """
        entry = f"channel.{channel}" if channel else "defaults"
        back = {key for key, value in given.items() if str(value).strip().lower() == "none"}
        wanted = {key: value for key, value in given.items() if key not in back}
        options = read_options(entry, wanted, self._limits)
        gone = read_options(entry, dict.fromkeys(back, ""), self._limits).keys() | _plain(back)
        async with self._database.transaction() as connection:
            await self._check_named(connection, options)
            before = (await styles.defaults_of(connection, self.place)).get(channel, {})
            kept = {key: value for key, value in before.items() if key not in gone}
            after = kept | options
            await styles.save_defaults(connection, self.place, channel, after, self._now())
            await self._note(connection, "defaults", f"{entry} {given}")
        return _known(after)

    async def export(self) -> str:
        """Return the styles and defaults of the place as TOML."""
        return write_toml(await self.read())

    async def read_in(self, text: str) -> StyleSet:
        """Keep the styles and defaults of a file, beside and in the place of those there are.

        All of it is kept, or nothing.

        Raises:
            StylesUnreadable: it is no such file.
            StyleRefused, StyleUnknown: something in it is not possible.
        """
        if len(text.encode()) > MOST_BYTES:
            raise StylesUnreadable(f"> {MOST_BYTES // 1024} kB")
        given = read_toml(text, self._limits)
        async with self._database.transaction() as connection:
            for style in given.styles:
                await self._save(connection, style)
            for channel, options in given.defaults.items():
                await self._check_named(connection, options)
                now, values = self._now(), dict(options)
                await styles.save_defaults(connection, self.place, channel, values, now)
            await self._note(connection, "import_styles", f"{len(given.styles)}")
        return given

    async def _check_named(self, connection: Connection, options: Mapping[str, Any]) -> None:
        named = options.get(STYLE)
        if not named:
            return
        known = await _styles(connection, self.place)
        known += await _styles(connection, EVERYWHERE)
        if find_style(known, named) is None:
            raise StyleUnknown(str(named)[:40], ", ".join(one.name for one in known))

    async def _note(self, connection: Connection, verb: str, detail: str) -> None:
        key = self._actor.key
        await moderation.note(connection, self._now(), key, verb, self.place, detail)


def _plain(names: set[str]) -> set[str]:
    return {name.lower().replace("-", "_") for name in names}


def _known(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of stored options that this version has."""
    return {name: value for name, value in options.items() if name in OPTIONS}


async def _styles(connection: Connection, place: str) -> list[Style]:
    found: list[Style] = []
    for body in await styles.styles_of(connection, place):
        try:
            words = decode(StyleWords, body)
        except UndecodableError:  # of another version
            continue
        found.append(Style(words, _known(body)))
    return found
