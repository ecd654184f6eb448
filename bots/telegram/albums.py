"""Albums arrive as separate updates; this waits until no more of one come."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from telegram import Message


@dataclass
class _Album:
    messages: list[Message] = field(default_factory=list[Message])
    more: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Albums:
    """Gathers the messages of each media group."""

    def __init__(self, pause_s: float) -> None:
        """Take how long after its last part an album counts as complete, in seconds."""
        self._pause_s = pause_s
        self._open: dict[str, _Album] = {}

    def add(self, message: Message, use: Callable[[list[Message]], Awaitable[None]]) -> None:
        """Take one part; ``use`` gets all parts once, oldest first, when no more come."""
        group = message.media_group_id or ""
        album = self._open.setdefault(group, _Album())
        album.messages.append(message)
        album.more.set()
        if album.task is None:
            album.task = asyncio.create_task(self._gather(group, album, use), name="album")

    async def _gather(
        self, group: str, album: _Album, use: Callable[[list[Message]], Awaitable[None]]
    ) -> None:
        while album.more.is_set():
            album.more.clear()
            try:
                async with asyncio.timeout(self._pause_s):
                    await album.more.wait()
            except TimeoutError:
                break
        self._open.pop(group, None)
        await use(sorted(album.messages, key=lambda message: message.message_id))

    async def close(self) -> None:
        """Use what is complete so far; nothing that was sent is lost at a shutdown."""
        tasks = [album.task for album in self._open.values() if album.task]
        await asyncio.gather(*tasks, return_exceptions=True)
