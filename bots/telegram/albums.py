"""Albums arrive as separate updates; this waits until no more of one come."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from telegram import Message

from core.runtime.tasks import wait_event


@dataclass
class Album:
    """The parts of one media group, while they come."""

    messages: list[Message] = field(default_factory=list[Message])
    more: asyncio.Event = field(default_factory=asyncio.Event)
    used: asyncio.Event = field(default_factory=asyncio.Event)


class Albums:
    """Gathers the messages of each media group."""

    def __init__(self, pause_s: float) -> None:
        """Take how long after its last part an album counts as complete, in seconds."""
        self._pause_s = pause_s
        self._open: dict[str, Album] = {}

    def add(self, message: Message) -> tuple[Album, bool]:
        """Take one part; returns its album, and whether it is the first part."""
        group = message.media_group_id or ""
        first = group not in self._open
        album = self._open.setdefault(group, Album())
        album.messages.append(message)
        album.more.set()
        return album, first

    @asynccontextmanager
    async def complete(self, album: Album) -> AsyncGenerator[list[Message]]:
        """Give all parts, oldest first, once no more come; for whom added the first part.

        Who waits for ``album.used`` goes on when the block ends.
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
        self._open.pop(album.messages[0].media_group_id or "", None)
