"""What each call of the gate does, whatever carries it: a node gets its own jobs alone."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from core.domain.clip_preview import read_preview
from core.domain.enhancement import without_enhancer
from core.domain.jobs import Job, RequeueReason
from core.domain.media import Clip
from core.domain.progress_text import read_progress
from core.domain.prompt_preview import prompt_preview
from core.domain.requests import to_json
from core.errors import JobUnknown, MediaRefused
from core.errors.artefacts import ArtefactsUnavailable
from core.gate.failures import known_failure
from core.gate.front_parts import FrontParts
from core.gate.keys import attempt_key, stem_of
from core.gate.kinds import preference
from core.gate.node_jobs import NodeJobs
from core.gate.runs import GateRuns
from core.gate.wire import (
    FORBIDS,
    AttemptCall,
    BeatCall,
    ClaimCall,
    ClaimedJob,
    FailCall,
    PreviewCall,
    PromptCall,
    RanCall,
    RentedMachine,
    RequeueCall,
    SettleCall,
)
from core.interfaces.artefacts import name_of_input, names_of_clip
from core.interfaces.work_queue import WorkQueue
from core.storage.gate_nodes import GateNode

log = structlog.get_logger(__name__)

LONG_POLL_S = 25.0
POLL_S = 2.0  # how long a lost wake-up may delay a claim
LINK_S = 600  # how long an address of an input works


class Machines(Protocol):
    """The nodes behind the gate, as the others at the same rows see them."""

    async def seen(self, node: GateNode, machine: RentedMachine | None = None) -> WorkQueue:
        """Note a sign of life of ``node``, and return the queue in its name.

        ``machine`` is what it says of itself; without it, it is what it was.
        """
        ...


class GateCalls:
    """Answers the calls of all nodes."""

    def __init__(self, machines: Machines, parts: FrontParts) -> None:
        """Take who keeps the nodes known, and the parts of this front."""
        self._machines = machines
        self._parts = parts
        self._jobs = NodeJobs(parts.find)
        self._ends: dict[str, asyncio.Lock] = {}  # of jobs whose files are being taken or checked
        self._runs = GateRuns()

    async def claim(
        self, node: GateNode, call: ClaimCall, is_gone: Callable[[], Awaitable[bool]]
    ) -> ClaimedJob | None:
        """Give ``node`` the job whose turn it is; wait for one as long as a poll may last.

        Args:
            node: who asks.
            call: of it.
            is_gone: tells whether it hung up; then nothing stays claimed.

        Raises:
            TooManyHeldError: it has too many jobs already.
        """
        await self._jobs.require_room(node)
        loop = asyncio.get_running_loop()
        until = loop.time() + LONG_POLL_S
        while not await is_gone():
            queue = await self._machines.seen(node, call.machine)
            self._runs.claims(node.name, call.machine)
            job = await queue.claim(preference(call.loaded), ahead=call.ahead)
            if job is not None:
                job = job if call.protocol >= FORBIDS else without_enhancer(job)
                return await self._hand_out(node, queue, job, is_gone)
            left_s = until - loop.time()
            if left_s <= 0:
                return None
            await self._parts.dispatcher.wait(min(POLL_S, left_s))
        return None

    async def begin(self, node: GateNode, call: AttemptCall) -> int | None:
        """Note that an attempt has the device; None where it lost the job."""
        job = await self._jobs.own(node, call.job, call.key)
        if job is None:
            return None
        return await (await self._machines.seen(node)).begin(job.id, job.token or "")

    async def beat(self, node: GateNode, call: BeatCall) -> bool:
        """Keep an attempt alive; False where it lost the job, or somebody cancelled it."""
        job = await self._jobs.own(node, call.job, call.key)
        if job is None:
            return False
        event = read_progress(call.progress) if call.progress else None
        queue = await self._machines.seen(node)
        kept = await queue.beat(job.id, job.token or "", event)
        if kept and event is not None:
            self._parts.hub.publish(job.id, event, job.attempt)
        return kept

    async def preview(self, node: GateNode, call: PreviewCall) -> bool:
        """Show what an attempt has made so far; False where it lost the job, or shows nothing."""
        job = await self._jobs.own(node, call.job, call.key)
        preview = read_preview(call.picture, call.moments)
        if job is None or preview is None:
            return False
        self._parts.hub.show(job.id, preview, job.attempt)
        return True

    async def prompt(self, node: GateNode, call: PromptCall) -> bool:
        """Show the words that a model wrote; False where the attempt lost the job."""
        job, preview = await self._jobs.own(node, call.job, call.key), prompt_preview(call.words)
        if job is None or preview is None:
            return False
        self._parts.hub.show(job.id, preview, job.attempt)
        return True

    async def settle(self, node: GateNode, call: SettleCall) -> bool:
        """End an attempt with its clip, once its files were looked at.

        False where the attempt lost the job, or its files are not what it says.

        Raises:
            ArtefactsUnavailable: the clip cannot be kept just now.
        """
        clip = self._clip_of(call)
        async with self.end_of(call.job):
            job = await self._jobs.own(node, call.job, call.key)
            if job is None:
                return await self._has(call.job, clip)
            queue, token = await self._machines.seen(node), job.token or ""
            try:
                await self._parts.check_clip(clip)
            except (MediaRefused, OSError) as error:
                log.warning("gate_clip_refused", node=node.name, job_id=job.id, reason=str(error))
                await self._drop_files(clip)
                await queue.requeue(job.id, token, RequeueReason.DEVICE)
                self._over(node, job.id, ended=False)
                return False
            for name, path in zip(names_of_clip(clip), (clip.path, clip.poster), strict=True):
                await self._parts.artefacts.put(name, path)
            kept = await queue.settle(job.id, token, clip, call.actual_ms)
        if kept:
            self._runs.ends(node.name, job, call.key)
        else:
            await self._drop_files(clip)
        self._over(node, job.id, ended=kept)
        return kept

    async def fail(self, node: GateNode, call: FailCall) -> bool:
        """End an attempt without a clip; nothing is charged by what a node says."""
        job = await self._jobs.own(node, call.job, call.key)
        if job is None:
            return False
        failure = known_failure(call.code, call.data)
        queue = await self._machines.seen(node)
        kept = await queue.fail(job.id, job.token or "", failure, 0, call.off_device_ms)
        self._over(node, job.id, ended=kept)
        return kept

    async def requeue(self, node: GateNode, call: RequeueCall) -> bool:
        """Put an attempt's job back in line."""
        job = await self._jobs.own(node, call.job, call.key)
        if job is None:
            return False
        queue = await self._machines.seen(node)
        kept = await queue.requeue(job.id, job.token or "", call.reason)
        self._over(node, job.id, ended=False)
        return kept

    async def ran(self, node: GateNode, call: RanCall) -> bool:
        """Note what an attempt took that ended with a clip; once, and never more than it had."""
        run = self._runs.told(node.name, call)
        if run is not None:
            await self._parts.record(run)
        return run is not None

    async def attempt_of(self, node: GateNode, job_id: str, key: str) -> Job | None:
        """Return the job of an attempt that runs at ``node``; None where there is no such one."""
        return await self._jobs.own(node, job_id, key)

    def end_of(self, job_id: str) -> asyncio.Lock:
        """Return what is held while the files of a job change or are looked at."""
        if len(self._ends) > 1000:
            self._ends = {job: lock for job, lock in self._ends.items() if lock.locked()}
        return self._ends.setdefault(job_id, asyncio.Lock())

    async def _hand_out(
        self, node: GateNode, queue: WorkQueue, job: Job, is_gone: Callable[[], Awaitable[bool]]
    ) -> ClaimedJob | None:
        """Give ``job`` to ``node``, or put it back in line.

        Raises:
            TooManyHeldError: other claims of the node, side by side with this one, took the room.
        """
        key, given = attempt_key(node.digest, job.id, job.token or ""), None
        try:
            inputs = {} if await is_gone() else await self._inputs(job)
            if await is_gone():
                return None
            self._jobs.give(node, job.id, key)
            given = ClaimedJob(
                *(job.id, key, job.attempt, job.losses, job.estimate_ms, job.created_at_ms),
                started_at_ms=job.started_at_ms,
                request=to_json(job.request),
                inputs=inputs,
                forbidden=list(job.forbidden),
            )
            self._runs.begins(job.id)
            log.info("gate_claim", node=node.name, job_id=job.id, attempt=job.attempt)
            return given
        finally:
            if given is None:
                self._jobs.drop(node, job.id)
                await queue.requeue(job.id, job.token or "", RequeueReason.STOPPED)
                self._parts.dispatcher.wake()

    async def _inputs(self, job: Job) -> dict[str, str]:
        """Return where each input may be read: in the bucket for some minutes, or at the gate."""
        found: dict[str, str] = {}
        for file in job.request.media().values():
            name = name_of_input(file)
            address = await self._parts.artefacts.url(name, LINK_S)
            found[name] = address or f"/gate/inputs/{job.id}/{file.name}"
        return found

    def _over(self, node: GateNode, job_id: str, *, ended: bool) -> None:
        self._jobs.drop(node, job_id)
        if ended:
            self._parts.hub.close(job_id)
        self._parts.dispatcher.wake()
        self._parts.on_outcome()

    def _clip_of(self, call: SettleCall) -> Clip:
        path = self._parts.clips_folder / f"{stem_of(call.job, call.key)}.mp4"
        return Clip(
            *(path, path.with_suffix(".png"), call.sha256, call.size_bytes),
            *(call.width, call.height, call.frames, call.fps, call.has_sound),
            prompt_used=call.prompt_used,
        )

    async def _has(self, job_id: str, clip: Clip) -> bool:
        """Tell whether a call whose answer was lost gave the job this clip."""
        try:
            kept = (await self._parts.find(job_id)).clip
        except JobUnknown:
            return False
        return kept is not None and kept.path == clip.path and kept.sha256 == clip.sha256

    async def _drop_files(self, clip: Clip) -> None:
        for name in names_of_clip(clip):
            try:
                await self._parts.artefacts.delete(name)
            except ArtefactsUnavailable:
                log.warning("object_left", name=name)
