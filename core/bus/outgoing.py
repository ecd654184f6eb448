"""What this process has to tell the others, brought together until it is sent.

Of several equal messages one is sent, of the progress and the previews of a job the newest, at most
twice a second: the others are overtaken before anybody could look.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeAlias

import structlog

from core.bus.messages import (
    CancelMessage,
    PreviewMessage,
    ProgressMessage,
    Topic,
    of_cancel,
    of_preview,
    of_progress,
)
from core.domain.progress import Progress
from core.domain.prompt_preview import JobPreview
from core.runtime.tasks import outcome_of, wait_event

log = structlog.get_logger(__name__)

PROGRESS_S = 0.5  # between two messages of one topic about one job
KEPT = 1_000  # jobs and topics whose last message is remembered
Message: TypeAlias = tuple[Topic, str]
_Paced: TypeAlias = tuple[Topic, str]  # with the job that it is about
Send: TypeAlias = Callable[[Sequence[Message]], Coroutine[Any, Any, None]]


class OutgoingMessages:
    """Implements :class:`core.runtime.peers.Peers`: collects, and sends from :meth:`run`."""

    def __init__(self, send: Send, seconds: Callable[[], float] = time.monotonic) -> None:
        """Take what sends, and a clock that only goes forward."""
        self._send = send
        self._seconds = seconds
        self._plain: dict[Message, None] = {}  # in order, each once
        self._newest: dict[_Paced, Callable[[], str]] = {}  # what writes it, if it is sent
        self._sent_s: dict[_Paced, float] = {}  # when the last one was sent
        self._some = asyncio.Event()

    def wake(self) -> None:
        """Tell workers that there may be something to claim."""
        self._add(Topic.WORK)

    def cancel(self, job_id: str, by: str) -> None:
        """Have the attempt at ``job_id`` stopped where it runs."""
        self._add(Topic.CANCEL, of_cancel(CancelMessage(job_id, by)))

    def owed(self) -> None:
        """Tell who delivers that something is owed."""
        self._add(Topic.OWED)

    def say(self, topic: Topic, text: str) -> None:
        """Send a message of a topic of its own."""
        self._add(topic, text)

    def progress(self, job_id: str, event: Progress, attempt: int) -> None:
        """Tell how far a job is, unless newer progress overtakes it."""
        message = ProgressMessage(job_id, attempt, event)
        self._replace(Topic.PROGRESS, job_id, partial(of_progress, message))

    def preview(self, job_id: str, preview: JobPreview, attempt: int) -> None:
        """Show what a job has come to, unless a newer preview overtakes it."""
        message = PreviewMessage(job_id, attempt, preview)
        kind = f"{job_id} {type(preview).__name__}"  # words are not overtaken by a picture
        self._replace(Topic.PREVIEW, kind, partial(of_preview, message))

    async def run(self, stop: asyncio.Event) -> None:
        """Send until ``stop`` is set; what was collected until then is sent too."""
        ending = asyncio.create_task(stop.wait())
        ending.add_done_callback(lambda _: self._some.set())
        try:
            while not stop.is_set():
                self._some.clear()
                later_s = await self._send_due()
                await wait_event(self._some, later_s)
            await self._send_due(everything=True)
        finally:
            ending.cancel()

    def _replace(self, topic: Topic, job_id: str, write: Callable[[], str]) -> None:
        self._newest[topic, job_id] = write
        self._some.set()

    def _add(self, topic: Topic, text: str = "") -> None:
        self._plain[topic, text] = None
        self._some.set()

    async def _send_due(self, *, everything: bool = False) -> float | None:
        """Send what is due; return the seconds until more is, None where nothing waits."""
        now = self._seconds()
        due_s = {which: self._sent_s.get(which, 0.0) + PROGRESS_S for which in self._newest}
        due = [which for which, at_s in due_s.items() if everything or at_s <= now]
        messages = [*self._plain]
        messages += [(which[0], self._newest.pop(which)()) for which in due]
        self._plain.clear()
        self._sent_s |= dict.fromkeys(due, now)
        while len(self._sent_s) > KEPT:
            del self._sent_s[next(iter(self._sent_s))]
        if messages:
            sent = await outcome_of(self._send(messages))
            if not sent.ok:  # lost: whoever waits for it looks at the rows
                log.info("messages_lost", count=len(messages), reason=type(sent.error).__name__)
        waiting = [due_s[which] for which in self._newest if which in due_s]
        return max(0.0, min(waiting) - self._seconds()) if waiting else None
