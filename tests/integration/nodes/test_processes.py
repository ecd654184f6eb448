"""A front without a device, workers elsewhere: clips are made, and none is lost with a worker."""

import asyncio
import signal

import pytest

from core.app.bootstrap import open_core
from core.domain.jobs import JobState, ReplyTo
from core.domain.modes import Mode
from core.domain.nodes import NodeRole, NodeState
from core.domain.people import Requester
from core.domain.requests import Request
from core.errors.nodes import NodeNeedsSharedFiles, NoWorkerYet
from core.storage import nodes as rows
from core.storage.invariants import check
from core.testing.doubles import t2v, tiny
from core.testing.jobs import submit_request

pytestmark = pytest.mark.postgres
ANN = Requester("test", "ann")
LONG = Request(Mode.T2V, "a red kite over the sea", tiny(frames=481, side=1024))  # many seconds


async def submit(core, request, key="one"):
    return await submit_request(core, request, ANN, ReplyTo("test", {"channel": "1"}), key)


async def known(core):
    async with core.database.snapshot() as connection:
        return await rows.read_nodes(connection)


async def ready_workers(core):
    await core.nodes.beat()
    return [one for one in await known(core) if one.state is NodeState.READY and one.role.works]


async def test_front_and_worker_of_their_own_processes_make_a_clip(town, until):
    town.start("worker", "--no-supervise")
    town.start("serve", "--no-worker", "--no-supervise")

    async def both():
        return town.ready() == {"front", "worker"}

    await until(both)
    clip = town.folder / "kite.mp4"
    made = await asyncio.to_thread(
        town.run, "generate", "t2v", "-p", "a kite", "--seconds", "1", "-o", str(clip)
    )
    assert made.returncode == 0, made.stderr + town.log()
    assert clip.stat().st_size > 1000
    elsewhere = {"DATA_DIR": str(town.folder / "elsewhere")}
    for command in (("invariants",), ("jobs", "list"), ("quota", "show")):
        beside = await asyncio.to_thread(town.run, *command, **elsewhere)
        assert beside.returncode == 0, beside.stderr
    assert len(await asyncio.to_thread(town.nodes)) == 2, "a command is no node"


async def test_killed_workers_job_is_made_by_another_after_its_lease(
    town, open_front, delivery, until
):
    first = town.start("worker", "--no-supervise", NODE="first")
    async with open_front() as core:
        ticket = await begun(core, until)
        first.send_signal(signal.SIGKILL)
        first.wait()
        town.start("worker", "--no-supervise", NODE="second")
        await until(ready_workers_called(core, "second"))
        assert (await core.jobs.get(ticket.job_id)).attempt == 1

        async def again():
            return (await core.jobs.get(ticket.job_id)).attempt == 2

        await until(again)
        async with core.database.snapshot() as connection:
            assert await check(connection) == []
        assert (await core.jobs.get(ticket.job_id)).losses == 1


async def begun(core, until):
    """Submit a job that takes long, and wait until a worker has begun it."""
    await until(lambda: ready_workers(core))
    ticket = await submit(core, LONG)

    async def is_begun():
        return (await core.jobs.get(ticket.job_id)).started_at_ms is not None

    await until(is_begun)
    return ticket


def ready_workers_called(core, name):
    async def look():
        return [one for one in await ready_workers(core) if one.name == name]

    return look


async def test_worker_that_has_to_stop_hands_over_what_takes_longer(town, open_front, until):
    worker = town.start("worker", "--no-supervise", NOTICE_S="0")
    async with open_front() as core:
        ticket = await begun(core, until)
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 60) == 0
        job = await core.jobs.get(ticket.job_id)

        assert (job.state, job.losses) == (JobState.QUEUED, 0)
        [node] = [one for one in await known(core) if one.role is NodeRole.WORKER]
        assert node.state is NodeState.GONE


async def test_second_start_takes_nothing_from_the_living(town, open_front, until):
    town.start("worker", "--no-supervise")
    async with open_front() as core:
        ticket = await begun(core, until)
        before = await core.jobs.get(ticket.job_id)
        clip = town.data / "clips" / f"{'a' * 32}.12345678.mp4"
        clip.write_bytes(b"not settled yet")
        part = town.data / "clips" / f".part-{'b' * 32}.mp4"
        part.write_bytes(b"being written")

        async def at_work():
            return {path.name for path in (town.data / "work").iterdir()}

        await until(at_work)  # the worker made its folder
        work = await at_work()
        dead = town.data / "work" / ("d" * 32)
        dead.mkdir()
        async with open_front():
            job = await core.jobs.get(ticket.job_id)
            assert (job.token, job.attempt) == (before.token, before.attempt)
        assert clip.exists()
        assert part.exists()
        assert await at_work() == work


async def test_drained_worker_takes_nothing_and_another_does(town, open_front, until):
    town.start("worker", "--no-supervise", NODE="attic")
    async with open_front() as core:
        await until(lambda: ready_workers(core))
        drained = await asyncio.to_thread(town.run, "nodes", "drain", "attic")
        assert drained.returncode == 0, drained.stderr

        [asked] = [one for one in await known(core) if one.role is NodeRole.WORKER]

        async def heard():  # its beat of after the drain told it
            [node] = [one for one in await known(core) if one.role is NodeRole.WORKER]
            return node.state is NodeState.DRAINING and node.beat_at_ms > asked.beat_at_ms

        await until(heard)
        ticket = await submit(core, t2v())
        assert (await asyncio.to_thread(town.run, "nodes", "drain", "attic")).returncode == 3
        assert (await core.jobs.get(ticket.job_id)).state.waiting
        town.start("worker", "--no-supervise", NODE="cellar")

        async def made():
            return (await core.jobs.get(ticket.job_id)).state is JobState.SUCCEEDED

        await until(made)


async def test_before_a_worker_ever_came_requests_are_refused_in_plain_words(open_front):
    async with open_front() as core:
        assert not (await core.readiness.read()).ok
        with pytest.raises(NoWorkerYet):
            await submit(core, t2v())
        assert (await core.jobs.counts()).waiting == 0


async def test_second_service_whose_clips_nobody_else_finds_is_refused(town):
    alone = {"artefacts_shared": False}
    async with open_core(town.settings(**alone)):
        elsewhere = town.settings(**alone, data_dir=town.folder / "elsewhere")
        with pytest.raises(NodeNeedsSharedFiles):
            async with open_core(elsewhere):
                pass
    async with open_core(elsewhere):
        pass


async def test_restart_in_the_same_directory_takes_up_what_the_process_before_ran(town):
    settings = town.settings(artefacts_shared=False, lease_s=600.0)
    async with open_core(settings) as core:
        ticket = await submit(core, t2v())
        claimed = await core.queue.claim()
        assert claimed.id == ticket.job_id
        died = core.nodes.id
    async with open_core(settings) as core:
        job = await core.jobs.get(ticket.job_id)
        assert (job.state, core.nodes.before_us) == (JobState.QUEUED, died)
