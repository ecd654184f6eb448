"""A queue of thousands is listed a page at a time: everybody else has a turn between two."""

from asyncio import Event

import pytest

from core.app.core import Core
from core.app.steering import steered_service
from core.control.commands import ListJobs
from core.control.handlers import CommandHandlers
from core.control.peer import this_process
from core.domain.jobs import ReplyTo
from core.domain.people import Requester
from core.errors import JobUnknown
from core.testing.doubles import t2v
from core.testing.jobs import submit_request

OPERATOR = Requester("cli", "0")
JOBS = 12


@pytest.fixture
async def queue(core: Core) -> list[str]:
    """The ids of jobs that wait, one of them running."""
    for number in range(JOBS):
        who = Requester("test", f"user-{number}")
        await submit_request(core, t2v(), who, ReplyTo("test"), f"key-{number}")
    running = await core.queue.claim()
    assert running is not None
    return [job.id for job in await core.jobs.in_order()]


@pytest.mark.parametrize("size", [1, 5, JOBS, 100])
async def test_pages_are_the_queue_in_its_order(core: Core, queue: list[str], size: int) -> None:
    pages = [[job.id for job in page] async for page in core.jobs.each_in_order(size)]

    assert [job_id for page in pages for job_id in page] == queue
    assert max(map(len, pages)) <= max(size, 1)


async def test_commands_list_each_job_once(core: Core, queue: list[str]) -> None:
    service = steered_service(core, serving=True, troubles=core.readiness.troubles)
    handlers = CommandHandlers(service, this_process())
    told = [item.id async for item in handlers.answer(ListJobs("test:user-3"), Event())]

    assert told == queue


async def test_an_operator_finds_a_live_job_by_the_beginning_of_its_id(
    core: Core, queue: list[str]
) -> None:
    operator = core.local_operator(OPERATOR)

    assert [(await operator.find(f" {one[:12].upper()} ")).id for one in queue] == queue
    for typed in ("", "%", "_", "nothing", "\0"):
        with pytest.raises(JobUnknown):
            await operator.find(typed)
