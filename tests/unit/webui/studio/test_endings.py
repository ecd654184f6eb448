"""Cancel and delete can be taken back; what is not taken back happens, whoever has left."""

from dataclasses import replace

import pytest

from core.app.core import Core
from core.app.serve import front_services
from core.domain.followups import Action
from core.domain.jobs import JobState
from core.domain.people import Requester
from core.errors import AlreadyFinished, JobUnknown, NotYours
from core.testing.doubles import eventually, t2v
from core.testing.jobs import submit_request
from webui.auth.visitors import Visitor
from webui.studio.delivery import reply_to_page
from webui.studio.endings import Endings

ANNA, BEN = (Visitor(Requester("studio", name), account=name) for name in ("anna", "ben"))


async def submit(core: Core, visitor: Visitor = ANNA) -> str:
    ticket = await submit_request(core, t2v(), visitor.requester, reply_to_page(), "one")
    return ticket.job_id


async def state(core: Core, job_id: str) -> JobState:
    return (await core.jobs.get(job_id)).state


async def test_a_cancel_that_is_taken_back_does_not_happen(core: Core) -> None:
    endings = Endings(front_services(core))
    job = await submit(core)

    await endings.postpone(job, Action.CANCEL, ANNA)
    assert endings.of(ANNA)[job].action == "cancel"
    assert not endings.of(BEN)
    await endings.take_back(job, ANNA)
    endings.stop()

    later = Endings(front_services(core))
    await later.restore()
    assert not endings.of(ANNA)
    assert not later.tasks
    assert not (await state(core, job)).terminal


async def test_a_clock_that_was_set_back_and_a_note_that_cannot_be_read_hold_nothing_up(
    core: Core,
) -> None:
    before = Endings(front_services(core), wait_ms=60_000)
    job = await submit(core)
    await before.postpone(job, Action.DELETE, ANNA)
    before.stop()
    await core.community.state.remember("studio-ending", "other:ben", {"due_ms": "soon"})
    year_ms = 365 * 24 * 3_600_000
    services = front_services(core)
    services = replace(services, clock=lambda: core.queue.clock() - year_ms)

    later = Endings(services, wait_ms=10)
    await later.restore()

    async def gone() -> bool:
        try:
            await state(core, job)
        except JobUnknown:
            return True
        return False

    await eventually(gone)
    assert len(later.of(BEN)) == 0


async def test_a_restart_gives_the_whole_time_to_take_it_back_again(core: Core) -> None:
    before = Endings(front_services(core))
    job = await submit(core)
    await before.postpone(job, Action.DELETE, ANNA)
    before.stop()
    services = front_services(core)
    long_after_ms = services.clock() + 120_000
    later = Endings(replace(services, clock=lambda: long_after_ms))

    await later.restore()

    assert later.of(ANNA)[job].due_ms == long_after_ms + later.wait_ms
    await later.take_back(job, ANNA)
    later.stop()
    assert not (await state(core, job)).terminal


async def test_one_that_is_not_taken_back_happens_after_a_restart_too(core: Core) -> None:
    before = Endings(front_services(core), wait_ms=60_000)
    job = await submit(core)
    await before.postpone(job, Action.DELETE, ANNA)
    before.stop()
    assert not (await state(core, job)).terminal
    later = front_services(core)
    later = replace(later, clock=lambda: later_ms)
    later_ms = front_services(core).clock() + 120_000

    await Endings(later, wait_ms=10).restore()

    async def gone() -> bool:
        try:
            await core.jobs.get(job)
        except JobUnknown:
            return True
        return False

    await eventually(gone)


async def test_nobody_ends_the_job_of_somebody_else_nor_saves_it(core: Core) -> None:
    endings = Endings(front_services(core), wait_ms=60_000)
    job = await submit(core)
    await endings.postpone(job, Action.CANCEL, ANNA)

    for action in (Action.CANCEL, Action.DELETE):
        with pytest.raises(NotYours):
            await endings.postpone(job, action, BEN)
    with pytest.raises(NotYours):
        await endings.take_back(job, BEN)

    assert endings.of(ANNA)
    endings.stop()


async def test_a_job_that_is_over_cannot_be_cancelled_later(core: Core) -> None:
    endings = Endings(front_services(core))
    job = await submit(core)
    await core.users.cancel(ANNA.caller, job)

    with pytest.raises(AlreadyFinished):
        await endings.postpone(job, Action.CANCEL, ANNA)
