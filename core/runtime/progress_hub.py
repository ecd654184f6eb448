"""Pass progress on: the worker publishes, the router and the pages read, here and elsewhere."""

from collections.abc import Callable

from core.domain.clip_preview import ClipPreview
from core.domain.progress import Progress, Working
from core.domain.prompt_preview import JobPreview, PromptPreview
from core.runtime.peers import NoPeers, Peers

Listener = Callable[[str, Progress], None]  # job id, event; never blocks


class ProgressHub:
    """Keeps the newest progress event of each live job, and tells listeners of every one.

    Also keeps the newest preview of each job that is being made, and the words it is made by.
    """

    def __init__(self, peers: Peers | None = None) -> None:
        """Take whom to tell what is published here; nobody by default."""
        self._peers = NoPeers() if peers is None else peers
        self._latest: dict[str, Progress] = {}
        self._previews: dict[str, ClipPreview] = {}  # of jobs whose newest event is of work
        self._prompts: dict[str, PromptPreview] = {}  # of these, too
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
        if not isinstance(event, Working):  # back in line: the next attempt begins anew
            self._forget_previews(job_id)
        for listener in self._listeners:
            listener(job_id, event)

    def latest(self, job_id: str) -> Progress | None:
        """Return the newest event of a live job; None before the first one and after its end."""
        return self._latest.get(job_id)

    def show(self, job_id: str, preview: JobPreview, attempt: int = 0) -> None:
        """Show everybody who may see ``job_id`` what ``attempt`` has made so far. Never blocks."""
        self.receive_preview(job_id, preview)
        self._peers.preview(job_id, preview, attempt)

    def receive_preview(self, job_id: str, preview: JobPreview) -> None:
        """Keep ``preview``, unless ``job_id`` is not being made, or not any more."""
        if not isinstance(self._latest.get(job_id), Working):
            return
        if isinstance(preview, PromptPreview):
            self._prompts[job_id] = preview
        else:
            self._previews[job_id] = preview

    def preview(self, job_id: str) -> ClipPreview | None:
        """Return the newest preview of a job that is being made; None before the first one."""
        return self._previews.get(job_id)

    def prompt(self, job_id: str) -> PromptPreview | None:
        """Return the words by which a job is being made; None while they are those typed."""
        return self._prompts.get(job_id)

    def close(self, job_id: str) -> None:
        """Forget the progress of ``job_id``: it reached a terminal state."""
        self._latest.pop(job_id, None)
        self._forget_previews(job_id)

    def _forget_previews(self, job_id: str) -> None:
        self._previews.pop(job_id, None)
        self._prompts.pop(job_id, None)
