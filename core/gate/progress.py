"""Bring progress and previews to the gate: the newest of each job, twice a second."""

import asyncio

from core.domain.progress import Progress
from core.domain.prompt_preview import JobPreview
from core.gate.client import GateClient
from core.runtime.notifier import LocalDispatcher
from core.runtime.peers import NoPeers
from core.runtime.tasks import outcome_of

EVERY_S = 0.5


class GateProgress(NoPeers):
    """Implements :class:`core.runtime.peers.Peers` where the only peer is the gate."""

    def __init__(self, client: GateClient) -> None:
        self._client = client
        self._newest: dict[str, Progress] = {}
        self._previews: dict[tuple[str, type[JobPreview]], JobPreview] = {}
        self._fresh = asyncio.Event()

    def progress(self, job_id: str, event: Progress, attempt: int) -> None:
        """Have ``event`` sent soon."""
        del attempt
        self._newest[job_id] = event
        self._fresh.set()

    def preview(self, job_id: str, preview: JobPreview, attempt: int) -> None:
        """Have ``preview`` sent soon."""
        del attempt
        self._previews[job_id, type(preview)] = preview
        self._fresh.set()

    async def run(self, dispatcher: LocalDispatcher) -> None:
        """Send what is new until cancelled; stop the attempts that the gate says are lost."""
        while True:
            await self._fresh.wait()
            self._fresh.clear()
            sending, self._newest = self._newest, {}
            for job_id, event in sending.items():
                key = self._client.jobs.keys.get(job_id)
                if key is None:
                    continue
                kept = await outcome_of(self._client.beat(job_id, key, event))
                if kept.ok and not kept.value and self._client.jobs.keys.get(job_id) == key:
                    dispatcher.cancel_here(job_id, "owner")
            await self._send_previews()
            await asyncio.sleep(EVERY_S)

    async def _send_previews(self) -> None:
        """Send the newest ones; one that does not arrive is missed by nobody."""
        showing, self._previews = self._previews, {}
        for (job_id, _), preview in showing.items():
            key = self._client.jobs.keys.get(job_id)
            if key is not None:
                await outcome_of(self._client.preview(job_id, key, preview))
