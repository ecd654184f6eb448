"""Collect the messages of an album, which arrive as separate updates."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from telegram import Message

from core.runtime.tasks import wait_event

REMEMBERED = 1000  # groups that were handled


@dataclass
class Album:
    """The messages of one media group that came so far."""

    messages: list[Message] = field(default_factory=list[Message])
    more: asyncio.Event = field(default_factory=asyncio.Event)
    used: asyncio.Event = field(default_factory=asyncio.Event)
    late: bool = False  # others of the same group were handled already


class Albums:
    """Collects the messages of each media group until no more come."""

    def __init__(self, pause_s: float) -> None:
        """Count an album as complete ``pause_s`` seconds after its last part."""
        self._pause_s = pause_s
        self._open: dict[str, Album] = {}
        self._handled: OrderedDict[str, None] = OrderedDict()  # groups

    def add(self, message: Message) -> tuple[Album, bool]:
        """Add one part; returns its album, and whether it is the first part."""
        group = message.media_group_id or ""
        first = group not in self._open
        album = self._open.setdefault(group, Album(late=group in self._handled))
        album.messages.append(message)
        album.more.set()
        return album, first

    @asynccontextmanager
    async def complete(self, album: Album) -> AsyncGenerator[list[Message]]:
        """Wait for all parts and yield them, oldest first; called once, for the first part.

        Sets ``album.used`` when the block ends.
        """
        try:
            album.more.clear()
            while await wait_event(album.more, self._pause_s):
                album.more.clear()
            self._close(album)
            yield sorted(album.messages, key=lambda message: message.message_id)
        finally:
            self._close(album)
            album.used.set()

    def _close(self, album: Album) -> None:
        group = album.messages[0].media_group_id or ""
        if self._open.get(group) is album:  # and not one of parts that came since
            del self._open[group]
        self._handled[group] = None
        if len(self._handled) > REMEMBERED:
            self._handled.popitem(last=False)
