"""The other side of the gate: a worker's line of jobs and its files, by one address and one token.

Implements :class:`core.interfaces.work_queue.WorkQueue`. What it knows of an attempt beside the job
is the key that came with it, which is that attempt's token here.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar

import httpx2
import structlog
from pydantic import SecretStr

from core.domain.decoding import UndecodableError
from core.domain.jobs import Failure, Job, RequeueReason
from core.domain.media import Clip
from core.domain.progress import Progress
from core.domain.progress_text import write_progress
from core.domain.prompt_preview import JobPreview, PromptPreview
from core.domain.requests import Request
from core.errors.gate import GateUnreachable
from core.gate import wire
from core.gate.connection import require_taken, trust, why
from core.gate.given_jobs import GivenJobs
from core.gate.kinds import kinds_that
from core.runtime.file_pieces import pieces_of
from core.runtime.tasks import TaskOutcome, cancel_and_wait, outcome_of, wait_event, wait_unless

log = structlog.get_logger(__name__)
T = TypeVar("T")
RanFigures: TypeAlias = tuple[int, dict[str, float], int | None]  # as of :class:`wire.RanCall`

CALL_S = 15.0  # a call that takes longer failed
PREVIEW_S = 2.0  # then the next one is newer
CLAIM_S = 40.0  # the gate answers after 25 s where nobody waits
FILES_S = 300.0  # without a byte
RETRY_S = 5.0  # after a claim that failed


class GateClient:
    """Calls the gate; one for a process."""

    def __init__(
        self,
        address: str,
        token: SecretStr,
        machine: wire.RentedMachine | None = None,
        authority: Path | None = None,
    ) -> None:
        """Take where the gate is (``https://…``), the token of this machine, and what it is.

        ``authority`` is a PEM file of who signed the gate's certificate; nobody else is trusted.

        Raises:
            BadConfiguration: that file cannot be used.
        """
        self._machine = wire.RentedMachine() if machine is None else machine
        self._http = httpx2.AsyncClient(
            base_url=address,
            headers={"Authorization": f"Bearer {token.get_secret_value()}"},
            timeout=CALL_S,
            follow_redirects=False,  # the token goes to this address and no other
            trust_env=False,
            verify=trust(authority),
        )
        self._files = httpx2.AsyncClient(timeout=FILES_S, follow_redirects=False, trust_env=False)
        self._ending = asyncio.Event()
        self.jobs = GivenJobs()
        self.answered_at_s: float | None = None  # when the gate answered last, monotonic

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()
        await self._files.aclose()

    async def claim(
        self, prefer: Callable[[Request], bool] | None = None, *, ahead: bool = False
    ) -> Job | None:
        """Take the job whose turn it is; wait for one at the gate, until :meth:`note_ending`.

        ``prefer`` is asked of each kind of request, and never sees the jobs of others.

        Raises:
            GateUnreachable: the gate does not answer, or does not take it.
            GateTokenRefused, GateVersion: it does not know this machine, or its version.
        """
        loaded = None if prefer is None else await asyncio.to_thread(kinds_that, prefer)
        call = wire.ClaimCall(wire.PROTOCOL, self._machine, ahead, loaded)
        answered = await self._until_ending(self._ask("claim", call, wire.ClaimAnswer, CLAIM_S))
        if answered is None:
            return None
        if answered.error is not None:
            await wait_event(self._ending, RETRY_S)
            raise answered.error
        given = answered.value.job if answered.value is not None else None
        return None if given is None else await self._taken(given)

    async def next_up(self) -> Job | None:
        """Return the job that was claimed and waits for the device; of others nothing is known."""
        await asyncio.sleep(0)
        return self.jobs.next_up()

    async def begin(self, job_id: str, token: str) -> int | None:
        """Note that an attempt has the device now; None where it lost the job."""
        self.jobs.begin(job_id)
        call = wire.AttemptCall(job_id, token)
        return (await self._ask("begin", call, wire.BeginAnswer)).at_ms

    async def beat(self, job_id: str, token: str, progress: Progress | None = None) -> bool:
        """Keep the attempt alive; False where it lost the job or was cancelled."""
        text = None if progress is None else write_progress(progress)
        return await self._kept("beat", wire.BeatCall(job_id, token, text))

    async def preview(self, job_id: str, token: str, preview: JobPreview) -> bool:
        """Show what the attempt has made so far; False where nobody sees it."""
        if isinstance(preview, PromptPreview):
            told = wire.PromptCall(job_id, token, preview.words)
            return await self._kept("prompt", told, PREVIEW_S)
        call = wire.PreviewCall(job_id, token, preview.text, preview.moments)
        return await self._kept("preview", call, PREVIEW_S)

    async def settle(self, job_id: str, token: str, clip: Clip, actual_ms: int) -> bool:
        """End the attempt with the files that :meth:`upload` brought."""
        call = wire.SettleCall(
            *(job_id, token, clip.sha256, clip.size_bytes, clip.width, clip.height),
            *(clip.frames, float(clip.fps), clip.has_sound, max(0, int(actual_ms))),
            prompt_used=clip.prompt_used,
        )
        kept = await self._kept("settle", call, FILES_S)
        self.jobs.drop(job_id, token)
        return kept

    async def fail(
        self, job_id: str, token: str, failure: Failure, charge_ms: int = 0, off_device_ms: int = 0
    ) -> bool:
        """End the attempt without a clip; what it cost is the gate's to say."""
        del charge_ms
        data = {
            name: value[:200] if isinstance(value, str) else value
            for name, value in failure.data.items()
        }
        call = wire.FailCall(job_id, token, failure.code, data, max(0, off_device_ms))
        kept = await self._kept("fail", call)
        self.jobs.drop(job_id, token)
        return kept

    async def requeue(
        self, job_id: str, token: str, why: RequeueReason = RequeueReason.LOST
    ) -> bool:
        """Put the job of the attempt back in line."""
        kept = await self._kept("requeue", wire.RequeueCall(job_id, token, why.name))
        self.jobs.drop(job_id, token)
        return kept

    async def tell_run(self, job_id: str, token: str, run: RanFigures) -> None:
        """Tell what the attempt took, once it is settled.

        Raises:
            GateUnreachable: the gate does not answer; then nobody knows.
        """
        await self._kept("ran", wire.RanCall(job_id, token, *run))

    async def note_ending(self) -> None:
        """Take no more jobs; a claim under way ends without one."""
        self._ending.set()
        await asyncio.sleep(0)

    async def greet(self) -> None:
        """See that the gate knows this machine and its version.

        Raises:
            GateTokenRefused, GateVersion: it does not.
            GateUnreachable: it does not answer.
        """
        await self._ask("greet", wire.GreetCall(wire.PROTOCOL), wire.KeptAnswer)

    def download(self, name: str) -> AbstractAsyncContextManager[httpx2.Response]:
        """Read the input ``name`` of a job that was claimed here.

        Raises:
            GateUnreachable: no job here has such an input.
        """
        place = self.jobs.input(name)
        if place is None:
            raise GateUnreachable("no_attempt")
        if place.address.startswith("/"):
            headers = {"X-Clapper-Attempt": place.key}
            return self._http.stream("GET", place.address, headers=headers, timeout=FILES_S)
        # the bucket's, signed; our token is not its
        return self._files.stream("GET", place.address)

    async def upload(self, job_id: str, kind: str, path: Path, sha256: str) -> None:
        """Bring the clip (``mp4``) or the poster (``png``) of the attempt at ``job_id``.

        Raises:
            GateUnreachable: the gate does not answer, or does not take it.
            GateTokenRefused, GateVersion: it does not know this machine, or its version.
        """
        key = self.jobs.keys.get(job_id)
        if key is None:
            raise GateUnreachable("no_attempt")
        size = (await asyncio.to_thread(path.stat)).st_size
        headers = {
            "X-Clapper-Attempt": key,
            "X-Clapper-SHA256": sha256,
            "Content-Length": str(size),
        }
        address = f"/gate/clips/{job_id}/{kind}"
        try:
            answer = await self._http.put(
                address, content=pieces_of(path), headers=headers, timeout=FILES_S
            )
        except httpx2.HTTPError as error:
            raise GateUnreachable(why(error)) from None
        require_taken(answer)

    async def _taken(self, given: wire.ClaimedJob) -> Job | None:
        """Make the job of what the gate gave.

        A request that this version cannot read goes back in line, for who can.
        """
        try:
            return self.jobs.take(given)
        except UndecodableError:
            await outcome_of(self.requeue(given.job, given.key, RequeueReason.STOPPED))
            log.error("gate_request_unreadable", job_id=given.job)  # noqa: TRY400  # no defect
            return None

    async def _until_ending(self, call: Coroutine[Any, Any, T]) -> TaskOutcome[T] | None:
        """Await ``call``, or hang up at :meth:`note_ending`: the gate puts back what it claimed."""
        asking = asyncio.create_task(outcome_of(call))
        try:
            return asking.result() if await wait_unless(asking, self._ending.wait()) else None
        finally:
            await cancel_and_wait(asking)

    async def _kept(self, name: str, call: object, within_s: float = CALL_S) -> bool:
        return (await self._ask(name, call, wire.KeptAnswer, within_s)).kept

    async def _ask(self, name: str, call: object, kind: type[T], within_s: float = CALL_S) -> T:
        """Make one call.

        Raises:
            GateUnreachable: the gate does not answer, or with something else.
            GateTokenRefused, GateVersion: it does not know this machine, or its version.
        """
        headers = {"Content-Type": "application/json"}
        try:
            answer = await self._http.post(
                f"/gate/{name}", content=wire.encode(call), headers=headers, timeout=within_s
            )
        except httpx2.HTTPError as error:
            raise GateUnreachable(why(error)) from None
        self.answered_at_s = time.monotonic()
        require_taken(answer)
        try:
            return wire.decode(kind, answer.content)
        except ValueError:
            raise GateUnreachable("no_gate") from None
