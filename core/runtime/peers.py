"""What a process tells the others that work on the same rows; alone, nobody listens."""

from typing import Protocol

from core.domain.progress import Progress
from core.domain.prompt_preview import JobPreview


class Peers(Protocol):
    """The other processes. Calls never block, and a message may be lost: the rows are the truth."""

    def wake(self) -> None:
        """Tell them that there may be something to claim."""
        ...

    def cancel(self, job_id: str, by: str) -> None:
        """Have the attempt at ``job_id`` stopped, wherever it runs; ``by`` is who asked."""
        ...

    def progress(self, job_id: str, event: Progress, attempt: int) -> None:
        """Tell them how far attempt number ``attempt`` is; 0 of a job that waits."""
        ...

    def preview(self, job_id: str, preview: JobPreview, attempt: int) -> None:
        """Show them what attempt number ``attempt`` has made so far."""
        ...

    def owed(self) -> None:
        """Tell them that the outbox owes something."""
        ...


class NoPeers:
    """Implements :class:`Peers` for a process that is alone."""

    def wake(self) -> None:
        """Tell nobody."""

    def cancel(self, job_id: str, by: str) -> None:
        """Tell nobody."""

    def progress(self, job_id: str, event: Progress, attempt: int) -> None:
        """Tell nobody."""

    def preview(self, job_id: str, preview: JobPreview, attempt: int) -> None:
        """Show nobody."""

    def owed(self) -> None:
        """Tell nobody."""
