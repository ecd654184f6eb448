"""Pass progress on inside the process: the worker publishes, the router and the pages read."""

from collections.abc import Callable

from core.domain.progress import Progress

Listener = Callable[[str, Progress], None]  # job id, event; never blocks


class ProgressHub:
    """Keeps the newest progress event of each live job, and tells listeners of every one."""

    def __init__(self) -> None:
        self._latest: dict[str, Progress] = {}
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every event of every job, from now on."""
        self._listeners.append(listener)

    def publish(self, job_id: str, event: Progress) -> None:
        """Tell everybody how far ``job_id`` is. Never blocks."""
        self._latest[job_id] = event
        for listener in self._listeners:
            listener(job_id, event)

    def latest(self, job_id: str) -> Progress | None:
        """Return the newest event of a live job; None before the first one and after its end."""
        return self._latest.get(job_id)

    def close(self, job_id: str) -> None:
        """Forget the progress of ``job_id``: it reached a terminal state."""
        self._latest.pop(job_id, None)
