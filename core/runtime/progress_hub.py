"""Pass progress on: the worker publishes, the router and the pages read, here and elsewhere."""

from collections.abc import Callable

from core.domain.progress import Progress
from core.runtime.peers import NoPeers, Peers

Listener = Callable[[str, Progress], None]  # job id, event; never blocks


class ProgressHub:
    """Keeps the newest progress event of each live job, and tells listeners of every one."""

    def __init__(self, peers: Peers | None = None) -> None:
        """Take whom to tell what is published here; nobody by default."""
        self._peers = NoPeers() if peers is None else peers
        self._latest: dict[str, Progress] = {}
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every event of every job, from now on."""
        self._listeners.append(listener)

    def publish(self, job_id: str, event: Progress, attempt: int = 0) -> None:
        """Tell everybody how far ``job_id`` is, at which ``attempt``. Never blocks."""
        self.receive(job_id, event)
        self._peers.progress(job_id, event, attempt)

    def receive(self, job_id: str, event: Progress) -> None:
        """Tell everybody in this process how far ``job_id`` is."""
        self._latest[job_id] = event
        for listener in self._listeners:
            listener(job_id, event)

    def latest(self, job_id: str) -> Progress | None:
        """Return the newest event of a live job; None before the first one and after its end."""
        return self._latest.get(job_id)

    def close(self, job_id: str) -> None:
        """Forget the progress of ``job_id``: it reached a terminal state."""
        self._latest.pop(job_id, None)
