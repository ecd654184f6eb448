"""Limit the rate of message edits per channel, so that progress never delays a result.

Chat platforms limit how often a channel may be written to, and answer too many writes with a pause
for everything. So progress is offered, not sent: only the newest state of a message is kept, one
edit is sent per interval, the interval grows when the platform throttles us, and while a result is
being sent the channel's progress waits. An edit of the same message that is already in flight is
awaited first: arriving late, it would overwrite the result.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

import structlog

from core.errors import DeliveryRetry

log = structlog.get_logger(__name__)

Edit: TypeAlias = Callable[[], Awaitable[None]]
Result = TypeVar("Result")

BACKOFF = 2.0  # factor on the interval each time we are throttled
RECOVERY = 0.9  # factor on the interval after each edit that succeeds
LONGEST_INTERVAL_S = 60.0  # beyond it progress is pointless
LONGEST_PAUSE_S = 900.0  # a platform that asks for more is asked again before
SLOW_EDIT_S = 1.5  # an edit that takes longer was delayed; libraries do so silently
REMEMBERED = 10_000  # messages of which something newer than their first state was offered
RESULT_WAIT_S = 5.0  # how long a result waits for an edit of its message in flight


class Throttled(Exception):
    """The platform asks for a pause of ``after_s`` seconds."""

    def __init__(self, after_s: float) -> None:
        super().__init__(after_s)
        self.after_s = after_s


@dataclass
class _Channel:
    interval_s: float
    usual_s: float
    next_at: float = 0.0  # loop time of the earliest next edit
    results: Counter[str] = field(default_factory=Counter[str])  # being sent, by message
    pending: dict[str, Edit] = field(default_factory=dict[str, Edit])
    in_flight: dict[str, asyncio.Task[None]] = field(
        default_factory=dict[str, "asyncio.Task[None]"]
    )
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    timer: asyncio.TimerHandle | None = None  # forgets it


@contextmanager
def retried_later() -> Generator[None]:
    """Let a delivery be tried again when the platform asks for a pause.

    Raises:
        DeliveryRetry: it asked for one.
    """
    try:
        yield
    except Throttled as throttled:
        raise DeliveryRetry("throttled", throttled.after_s) from throttled


class EditScheduler:
    """Sends the newest progress of every message, within the budget of its channel."""

    def __init__(self, interval_s: Callable[[str], float]) -> None:
        """Take the usual seconds between two edits in a channel, by channel id."""
        self._interval_s = interval_s
        self._channels: dict[str, _Channel] = {}
        self._offered: OrderedDict[tuple[str, str], None] = OrderedDict()  # channel, message

    def offer(self, channel_id: str, message_id: str, edit: Edit) -> None:
        """Keep ``edit`` as the newest state of the message; an older one not yet sent is dropped.

        ``edit`` may raise :class:`Throttled`; it is then dropped and the channel slows down. What
        else it raises is logged, and the channel goes on.
        """
        channel = self._channel(channel_id)
        self._offered[channel_id, message_id] = None
        if len(self._offered) > REMEMBERED:
            self._offered.popitem(last=False)
        channel.pending[message_id] = edit
        channel.changed.set()
        if channel.task is None or channel.task.done():
            channel.task = asyncio.create_task(self._drain(channel_id, channel), name="edits")

    async def result(
        self, channel_id: str, message_id: str, send: Callable[[], Awaitable[Result]]
    ) -> Result:
        """Run ``send`` now; drop the progress of its message, hold back that of its channel.

        Whatever ``send`` raises passes through.

        Raises:
            Throttled: from ``send``; the channel slows down as well.
        """
        channel = self._channel(channel_id)
        channel.results[message_id] += 1
        try:
            await self._wait_for_edit(channel, message_id)
            return await send()
        except Throttled as throttled:
            self._slow_down(channel, throttled.after_s)
            raise
        finally:
            channel.results -= Counter((message_id,))
            channel.pending.pop(message_id, None)  # whatever came meanwhile is older than that
            channel.changed.set()
            self._let_go(channel_id)

    async def first(self, channel_id: str, message_id: str, edit: Edit) -> None:
        """Send the first state of a message now, unless there is a newer one already.

        That is a result which is being sent, or progress of a job that began meanwhile.

        Whatever ``edit`` raises passes through, except :class:`Throttled`.
        """
        channel = self._channel(channel_id)
        if message_id in channel.results or (channel_id, message_id) in self._offered:
            return
        try:
            error = await self._send_edit(channel, message_id, edit)
            if error is not None:
                raise error
        except Throttled as throttled:
            self._slow_down(channel, throttled.after_s)
        finally:
            self._let_go(channel_id)

    def forget(self, channel_id: str, message_id: str) -> None:
        """Drop what is pending for a message that is gone, or stands for another job now."""
        self._offered.pop((channel_id, message_id), None)
        if channel_id in self._channels:
            self._channels[channel_id].pending.pop(message_id, None)

    def interval_s(self, channel_id: str) -> float:
        """Return the seconds between two edits that apply now."""
        channel = self._channels.get(channel_id)
        return self._interval_s(channel_id) if channel is None else channel.interval_s

    async def close(self) -> None:
        """Drop all progress and stop."""
        tasks = [channel.task for channel in self._channels.values() if channel.task]
        for channel in self._channels.values():
            if channel.timer is not None:
                channel.timer.cancel()
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
            error = await self._send_edit(channel, message_id, edit)
            if isinstance(error, Throttled):
                self._slow_down(channel, error.after_s)
                log.info("edits_slowed", channel=channel_id, interval_s=channel.interval_s)
            elif error is not None:  # one message's edit; the others' go on
                log.warning("edit_broke", channel=channel_id, exc_info=error)
            elif loop.time() - began > max(SLOW_EDIT_S, channel.interval_s):
                self._slow_down(channel, 0.0)
            else:
                channel.interval_s = max(channel.usual_s, channel.interval_s * RECOVERY)
        self._let_go(channel_id)

    def _let_go(self, channel_id: str) -> None:
        """Forget a channel where nothing happens, as soon as its pace says nothing any more."""
        channel = self._channels.get(channel_id)
        if channel is None or channel.pending or channel.results or channel.in_flight:
            return  # whoever ends these comes here again
        loop = asyncio.get_running_loop()
        slowed = channel.interval_s > channel.usual_s
        left_s = channel.next_at + (LONGEST_INTERVAL_S if slowed else 0.0) - loop.time()
        if left_s <= 0:
            del self._channels[channel_id]
        elif channel.timer is None or channel.timer.when() <= loop.time():
            channel.timer = loop.call_later(left_s, self._let_go, channel_id)

    @staticmethod
    async def _send_edit(channel: _Channel, message_id: str, edit: Edit) -> BaseException | None:
        """Run ``edit`` as a task that a result can wait for, or cancel when it takes too long.

        Returns:
            What it raised, None where it went well or was cancelled.
        """

        async def run() -> None:
            await edit()  # here also what raises before it is a coroutine

        if (older := channel.in_flight.get(message_id)) is not None:
            await asyncio.wait({older})
            if channel.results[message_id]:
                return None
        task = asyncio.create_task(run())
        channel.in_flight[message_id] = task
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            if channel.in_flight.get(message_id) is task:
                del channel.in_flight[message_id]
        return None if task.cancelled() else task.exception()

    @staticmethod
    async def _wait_for_edit(channel: _Channel, message_id: str) -> None:
        """Wait for the edit of this message in flight; cancel it if it takes too long."""
        task = channel.in_flight.get(message_id)
        if task is None:
            return
        await asyncio.wait({task}, timeout=RESULT_WAIT_S)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=1.0)

    def _slow_down(self, channel: _Channel, after_s: float) -> None:
        channel.interval_s = min(LONGEST_INTERVAL_S, channel.interval_s * BACKOFF)
        asked = after_s if 0 <= after_s <= LONGEST_PAUSE_S else LONGEST_PAUSE_S  # NaN is neither
        channel.next_at = asyncio.get_running_loop().time() + max(asked, channel.interval_s)
