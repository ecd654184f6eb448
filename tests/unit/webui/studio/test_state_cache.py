"""A page that looks again costs nothing until something changed, and then shows the change."""

from dataclasses import replace

import pytest
from sqlalchemy import event

from core.app.core import Core
from core.app.serve import front_services
from core.domain.people import Requester
from core.domain.progress import Downloading, Stage, Working
from core.testing.doubles import t2v
from core.testing.jobs import submit_request
from webui.auth.uploads import Uploads
from webui.auth.visitors import Visitor
from webui.studio.delivery import reply_to_page
from webui.studio.service import StudioService

ANNA, BEN = (Visitor(Requester("studio", name)) for name in ("anna", "ben"))


@pytest.fixture
def service(core: Core) -> StudioService:
    return StudioService(front_services(core), Uploads())


async def submit(core: Core, visitor: Visitor, key: str) -> str:
    ticket = await submit_request(core, t2v(), visitor.requester, reply_to_page(), key)
    return ticket.job_id


@pytest.fixture
def statements(core: Core) -> list[str]:
    found: list[str] = []
    engine = core.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *call: found.append(call[2]))
    return found


async def test_nothing_is_read_twice_and_progress_still_shows(
    core: Core, service: StudioService, statements: list[str]
) -> None:
    await submit(core, ANNA, "one")
    job = await core.queue.claim()
    assert job is not None
    first = await service.state(ANNA)
    statements.clear()
    core.hub.publish(job.id, Working(Stage.STAGE1, 4, 8, 0.5))

    second = await service.state(ANNA)

    assert not statements
    assert first.job is not None
    assert second.job is not None
    assert (first.job.fraction, second.job.fraction) == (None, 0.5)


async def test_a_download_says_what_is_left_of_all_files(
    core: Core, service: StudioService
) -> None:
    job_id = await submit(core, ANNA, "one")
    core.hub.publish(job_id, Downloading("a.safetensors", 1_000_000_000, 3_000_000_000, 4 * 10**9))

    shown = (await service.state(ANNA)).job

    assert shown is not None
    assert shown.headline == "Downloading a.safetensors: 1.0 GB of 3.0 GB, 6.0 GB to go"


async def test_after_a_write_all_pages_share_one_read(
    core: Core, service: StudioService, statements: list[str]
) -> None:
    visitors = [Visitor(Requester("studio", f"person-{number}")) for number in range(20)]
    for number, visitor in enumerate(visitors):
        await submit(core, visitor, str(number))
        await service.state(visitor)
    await core.local_operator(ANNA.requester).note("look", "nothing")
    statements.clear()

    lines = {(await service.state(visitor)).line for visitor in visitors}

    assert len(lines) == 1
    assert [one for one in statements if one.startswith("BEGIN")] == ["BEGIN IMMEDIATE"]
    assert len([one for one in statements if one.startswith("SELECT")]) == 2


async def test_a_first_look_is_two_transactions(
    core: Core, service: StudioService, statements: list[str]
) -> None:
    await submit(core, ANNA, "one")
    statements.clear()

    await service.state(ANNA)

    assert [one for one in statements if one.startswith("BEGIN")] == 2 * ["BEGIN IMMEDIATE"]
    assert len(statements) <= 12  # two of them for the other keys of the person


async def test_every_change_is_seen_at_the_next_look(core: Core, service: StudioService) -> None:
    mine = await submit(core, ANNA, "one")
    alone = await service.state(ANNA)
    await submit(core, BEN, "two")
    crowded = await service.state(ANNA)
    await core.users.cancel(ANNA.caller, mine)
    over = await service.state(ANNA)

    assert [job.id for job in alone.mine] == [mine]
    assert alone.line != crowded.line
    assert over.mine == ()
    assert over.job is not None
    assert (over.job.id, over.job.state) == (mine, "cancelled")


async def test_a_job_from_elsewhere_is_noticed_though_it_was_over_between_two_looks(
    core: Core, service: StudioService
) -> None:
    shown = await submit(core, ANNA, "one")
    await core.users.cancel(ANNA.caller, shown)
    before = await service.state(ANNA, shown)

    await core.users.cancel(ANNA.caller, await submit(core, ANNA, "two"))
    after = await service.state(ANNA, shown)

    assert before.job == after.job
    assert before.mine == after.mine == ()
    assert 0 < before.newest < after.newest
    assert (await service.state(BEN)).newest == 0


async def test_a_page_never_shows_the_job_of_another(core: Core, service: StudioService) -> None:
    mine, theirs = await submit(core, ANNA, "one"), await submit(core, BEN, "two")

    assert (await service.state(ANNA, theirs)).job is None
    assert [job.id for job in (await service.state(ANNA)).mine] == [mine]
    assert [job.id for job in (await service.state(BEN)).mine] == [theirs]


async def test_what_is_left_is_told_by_the_clock_of_the_rows(core: Core) -> None:
    services = front_services(core)
    ahead = replace(services, clock=lambda: services.clock() + 60_000)
    await submit(core, ANNA, "one")
    job = await core.queue.claim()
    assert job is not None
    await core.queue.begin(job.id, job.token or "")
    core.hub.publish(job.id, Working(Stage.STAGE1, 4, 8, 0.5))

    by_rows = (await StudioService(services, Uploads()).state(ANNA)).job
    a_minute_later = (await StudioService(ahead, Uploads()).state(ANNA)).job

    assert by_rows is not None
    assert a_minute_later is not None
    assert by_rows != a_minute_later
    assert services.clock == core.queue.clock
