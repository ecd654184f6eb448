"""What other processes tell this one: it does here what they did there."""

import random
from collections.abc import Callable
from typing import Protocol

from core.bus.messages import CHANGES, LINKS, Topic, read_cancel, read_preview, read_progress
from core.domain.progress import Waiting
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub

SPREAD_S = 0.05  # workers that hear of one job do not ask for it at the same moment
KEPT = 10_000  # jobs whose last message is remembered


class Later(Protocol):
    """Calls a function in so many seconds, as an event loop does."""

    def __call__(self, seconds: float, call: Callable[[], None], /) -> object:
        """Call ``call`` later."""
        ...


class IncomingMessages:
    """Hands each message to whom it concerns in this process."""

    def __init__(
        self,
        hub: ProgressHub,
        dispatcher: LocalDispatcher,
        on_owed: Callable[[], None],
        later: Later,
        on_term: Callable[[str], None] = lambda _: None,
        on_change: Callable[[], None] = lambda: None,
        on_link: Callable[[str, str], None] = lambda _, __: None,
    ) -> None:
        """Take the local ends; ``later`` calls in so many seconds."""
        self._hub = hub
        self._dispatcher = dispatcher
        self._on_owed = on_owed
        self._later = later
        self._on_term = on_term
        self._on_change = on_change
        self._on_link = on_link
        self._newest: dict[str, int] = {}  # attempt, by job

    def receive(self, topic: str, text: str) -> None:
        """Act upon one message. Never blocks, and never raises for what another version wrote."""
        if topic in CHANGES:
            self._on_change()
        if topic == Topic.WORK:
            self._later(random.uniform(0, SPREAD_S), self._dispatcher.wake_here)  # noqa: S311  # no secret
        elif topic == Topic.CANCEL:
            cancel = read_cancel(text)
            if cancel is not None:
                self._dispatcher.cancel_here(cancel.job, cancel.by)
        elif topic == Topic.PROGRESS:
            self._receive_progress(text)
        elif topic == Topic.PREVIEW:
            self._receive_preview(text)
        elif topic in LINKS:
            self._on_link(topic, text)
        else:
            self._receive_plain(topic, text)

    def look(self) -> None:
        """Look at the rows: messages may have been lost."""
        self._dispatcher.wake_here()
        self._on_owed()
        self._on_term("")
        self._on_change()

    def _receive_plain(self, topic: str, text: str) -> None:
        if topic == Topic.OWED:
            self._on_owed()
        elif topic == Topic.TERM:
            self._on_term(text)

    def _receive_preview(self, text: str) -> None:
        message = read_preview(text)
        if message is not None and message.attempt >= self._newest.get(message.job, 0):
            self._hub.receive_preview(message.job, message.preview)

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
        self._hub.receive(message.job, message.event)
