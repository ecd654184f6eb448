"""What other processes tell this one: it does here what they did there."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from core.bus.messages import CHANGES, LINKS, Topic, read_cancel, read_preview, read_progress
from core.domain.progress import Waiting
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub

SPREAD_S = 0.05  # workers that hear of one job do not ask for it at the same moment
KEPT = 10_000  # jobs whose last message is remembered


@dataclass(frozen=True, slots=True)
class LocalEnds:
    """Whom messages are for in this process."""

    hub: ProgressHub
    dispatcher: LocalDispatcher
    on_owed: Callable[[], None]
    on_term: Callable[[str], None] = lambda _: None
    on_change: Callable[[], None] = lambda: None
    on_link: Callable[[str, str], None] = lambda _, __: None


class Later(Protocol):
    """Calls a function in so many seconds, as an event loop does."""

    def __call__(self, seconds: float, call: Callable[[], None], /) -> object:
        """Call ``call`` later."""
        ...


class IncomingMessages:
    """Hands each message to whom it concerns in this process."""

    def __init__(self, ends: LocalEnds, later: Later) -> None:
        """Take whom messages are for; ``later`` calls in so many seconds."""
        self._ends = ends
        self._later = later
        self._newest: dict[str, int] = {}  # attempt, by job

    def receive(self, topic: str, text: str) -> None:
        """Act upon one message. Never blocks, and never raises for what another version wrote."""
        if topic in CHANGES:
            self._ends.on_change()
        if topic == Topic.WORK:
            self._later(random.uniform(0, SPREAD_S), self._ends.dispatcher.wake_here)  # noqa: S311  # no secret
        elif topic == Topic.CANCEL:
            cancel = read_cancel(text)
            if cancel is not None:
                self._ends.dispatcher.cancel_here(cancel.job, cancel.by)
        elif topic == Topic.PROGRESS:
            self._receive_progress(text)
        elif topic == Topic.PREVIEW:
            self._receive_preview(text)
        elif topic in LINKS:
            self._ends.on_link(topic, text)
        else:
            self._receive_plain(topic, text)

    def look(self) -> None:
        """Look at the rows: messages may have been lost."""
        self._ends.dispatcher.wake_here()
        self._ends.on_owed()
        self._ends.on_term("")
        self._ends.on_change()

    def _receive_plain(self, topic: str, text: str) -> None:
        if topic == Topic.OWED:
            self._ends.on_owed()
        elif topic == Topic.TERM:
            self._ends.on_term(text)

    def _receive_preview(self, text: str) -> None:
        message = read_preview(text)
        if message is not None and message.attempt >= self._newest.get(message.job, 0):
            self._ends.hub.receive_preview(message.job, message.preview)

    def _receive_progress(self, text: str) -> None:
        message = read_progress(text)
        if message is None:
            return
        newest = self._newest.pop(message.job, 0)
        if not isinstance(message.event, Waiting):  # back in line, it begins anew
            self._newest[message.job] = max(newest, message.attempt)
            if newest > message.attempt:
                return  # of an attempt that lost the job and does not know it yet
        while len(self._newest) > KEPT:
            del self._newest[next(iter(self._newest))]
        self._ends.hub.receive(message.job, message.event)
