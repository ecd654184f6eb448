"""Pass wake-ups and cancels on. The row is the truth; these only save waiting.

A lost wake-up costs one poll interval, a lost cancel one heartbeat.
"""

import asyncio
from collections.abc import Callable

from core.runtime.cancellation import CancelToken
from core.runtime.peers import NoPeers, Peers
from core.runtime.tasks import wait_event


class LocalDispatcher:
    """Wakes the worker for changed rows and stops its attempts, here and at the peers."""

    def __init__(self, peers: Peers | None = None) -> None:
        """Take whom to tell what others may have to act upon; nobody by default."""
        self._peers = NoPeers() if peers is None else peers
        self._work = asyncio.Event()
        self._tokens: dict[str, CancelToken] = {}
        self._meters: dict[str, Callable[[], int]] = {}

    def wake(self) -> None:
        """Wake every worker: there may be something to claim."""
        self.wake_here()
        self._peers.wake()

    def wake_here(self) -> None:
        """Wake the worker of this process alone."""
        self._work.set()

    async def wait(self, timeout_s: float) -> None:
        """Wait for the next wake-up, at most ``timeout_s`` seconds."""
        await wait_event(self._work, timeout_s)
        self._work.clear()

    def token_for(self, job_id: str) -> CancelToken:
        """Make the token of a new attempt at ``job_id``.

        An earlier attempt that lost the job may still be unwinding; it keeps its own token, and its
        lease tells it to stop.
        """
        token = self._tokens[job_id] = CancelToken()
        return token

    def meter(self, job_id: str, off_device_ms: Callable[[], int]) -> None:
        """Take what measures how long the newest attempt at a job did not use the device."""
        self._meters[job_id] = off_device_ms

    def off_device_ms(self, job_id: str) -> int:
        """Measure how long the attempt at ``job_id`` that runs here did not use the device."""
        meter = self._meters.get(job_id)
        return 0 if meter is None else meter()

    def release(self, job_id: str, token: CancelToken) -> None:
        """Forget the token: its attempt is over."""
        if self._tokens.get(job_id) is token:
            del self._tokens[job_id]
            self._meters.pop(job_id, None)

    def owns(self, job_id: str) -> bool:
        """Tell whether an attempt of ``job_id`` lives here, whatever its lease says."""
        return job_id in self._tokens

    def cancel(self, job_id: str, by: str) -> None:
        """Stop the attempt of ``job_id``, wherever it runs; ``by`` is who asked."""
        if not self.cancel_here(job_id, by):
            self._peers.cancel(job_id, by)

    def cancel_here(self, job_id: str, by: str) -> bool:
        """Stop the attempt of ``job_id`` if it runs here, and tell whether it does."""
        token = self._tokens.get(job_id)
        if token is not None:
            token.cancel(by)
        return token is not None
