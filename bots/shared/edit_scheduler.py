"""A budget for message edits, one per channel: progress never delays a result.

Chat platforms limit how often a channel may be written to, and answer too many writes with a pause
for everything. So progress is offered, not sent: only the newest state of a message is kept, one
edit leaves per interval, the interval grows when the platform complains or lets us wait, and while
a result is on its way the channel's progress waits. An edit of the same message that is already on
its way is let through first: arriving late, it would cover the result.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

import structlog

log = structlog.get_logger(__name__)

Edit: TypeAlias = Callable[[], Awaitable[None]]
Result = TypeVar("Result")

SLOWER = 2.0  # factor on the interval at every complaint
FASTER = 0.9  # factor on the interval at every edit that went through
SLOWEST = 60.0  # s; beyond it progress is pointless
SLUGGISH_S = 1.5  # an edit that takes longer was made to wait; libraries do so without a word
PATIENCE_S = 5.0  # how long a result waits for an edit of its message that is on its way


class Throttled(Exception):
    """The platform asks for a pause; ``after_s`` seconds from now."""

    def __init__(self, after_s: float) -> None:
        super().__init__(after_s)
        self.after_s = after_s


@dataclass
class _Channel:
    interval_s: float
    usual_s: float
    next_at: float = 0.0  # loop time of the earliest next edit
    results: Counter[str] = field(default_factory=Counter[str])  # on their way, by message
    pending: dict[str, Edit] = field(default_factory=dict[str, Edit])
    flying: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, "asyncio.Task[None]"])
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class EditScheduler:
    """Sends the newest progress of every message, within the budget of its channel."""

    def __init__(self, interval_s: Callable[[str], float]) -> None:
        """Take the usual seconds between two edits in a channel, by channel id."""
        self._interval_s = interval_s
        self._channels: dict[str, _Channel] = {}

    def offer(self, channel_id: str, message_id: str, edit: Edit) -> None:
        """Keep ``edit`` as the newest state of the message; an older one not yet sent is dropped.

        ``edit`` may raise :class:`Throttled`; it is then dropped and the channel slows down.
        """
        channel = self._channel(channel_id)
        channel.pending[message_id] = edit
        channel.changed.set()
        if channel.task is None or channel.task.done():
            channel.task = asyncio.create_task(self._drain(channel_id, channel), name="edits")

    async def result(
        self, channel_id: str, message_id: str, send: Callable[[], Awaitable[Result]]
    ) -> Result:
        """Run ``send`` now; progress of its message is dropped, of its channel held back.

        Whatever ``send`` raises passes through.

        Raises:
            Throttled: from ``send``; the channel slows down as well.
        """
        channel = self._channel(channel_id)
        channel.results[message_id] += 1
        try:
            await self._landed(channel, message_id)
            return await send()
        except Throttled as throttled:
            self._slow_down(channel, throttled.after_s)
            raise
        finally:
            channel.results -= Counter((message_id,))
            channel.pending.pop(message_id, None)  # whatever came meanwhile is older than that
            channel.changed.set()

    async def first(self, channel_id: str, message_id: str, edit: Edit) -> None:
        """Send the first state of a message now, unless its result is already on its way.

        Whatever ``edit`` raises passes through, except for a complaint.
        """
        channel = self._channel(channel_id)
        if channel.results[message_id]:
            return
        try:
            await self._fly(channel, message_id, edit)
        except Throttled as throttled:
            self._slow_down(channel, throttled.after_s)

    def forget(self, channel_id: str, message_id: str) -> None:
        """Drop what is pending for a message that is gone."""
        if channel_id in self._channels:
            self._channels[channel_id].pending.pop(message_id, None)

    def interval_s(self, channel_id: str) -> float:
        """Return the seconds between two edits in force now."""
        return self._channel(channel_id).interval_s

    async def close(self) -> None:
        """Drop all progress and stop."""
        tasks = [channel.task for channel in self._channels.values() if channel.task]
        self._channels.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _channel(self, channel_id: str) -> _Channel:
        if channel_id not in self._channels:
            usual = self._interval_s(channel_id)
            self._channels[channel_id] = _Channel(usual, usual)
        return self._channels[channel_id]

    async def _drain(self, channel_id: str, channel: _Channel) -> None:
        loop = asyncio.get_running_loop()
        while channel.pending:
            if channel.results:
                channel.changed.clear()
                await channel.changed.wait()
                continue
            pause = channel.next_at - loop.time()
            if pause > 0:
                await asyncio.sleep(pause)
                continue
            message_id = next(iter(channel.pending))
            edit = channel.pending.pop(message_id)
            began = loop.time()
            channel.next_at = began + channel.interval_s
            try:
                await self._fly(channel, message_id, edit)
            except Throttled as throttled:
                self._slow_down(channel, throttled.after_s)
                log.info("edits_slowed", channel=channel_id, interval_s=channel.interval_s)
            else:
                if loop.time() - began > max(SLUGGISH_S, channel.interval_s):
                    self._slow_down(channel, 0.0)
                else:
                    channel.interval_s = max(channel.usual_s, channel.interval_s * FASTER)

    @staticmethod
    async def _fly(channel: _Channel, message_id: str, edit: Edit) -> None:
        """Run ``edit`` where a result can see it; one that a result gave up on is over as well."""
        if (older := channel.flying.get(message_id)) is not None:
            await asyncio.wait({older})
            if channel.results[message_id]:
                return
        task = asyncio.ensure_future(edit())
        channel.flying[message_id] = task
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            if channel.flying.get(message_id) is task:
                del channel.flying[message_id]
        if not task.cancelled():
            task.result()

    @staticmethod
    async def _landed(channel: _Channel, message_id: str) -> None:
        """Wait until nothing of this message is on its way; what takes too long is given up."""
        task = channel.flying.get(message_id)
        if task is None:
            return
        await asyncio.wait({task}, timeout=PATIENCE_S)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=1.0)

    def _slow_down(self, channel: _Channel, after_s: float) -> None:
        channel.interval_s = min(SLOWEST, channel.interval_s * SLOWER)
        channel.next_at = asyncio.get_running_loop().time() + max(after_s, channel.interval_s)
