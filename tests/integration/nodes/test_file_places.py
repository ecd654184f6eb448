"""Files of the command line are written by the machine whose paths they were, and by no other."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.app.bootstrap import open_core
from core.app.core import Core
from core.control.watch import WatchedDelivery
from core.domain.nodes import NodeRole
from core.domain.people import Requester
from core.testing.doubles import QuickExecutor, running, t2v
from core.testing.jobs import submit_request
from tests.conftest import settings_in
from tests.integration.nodes.conftest import Town
from tests.support.jobs import until_ended
from tests.support.settings import changed

pytestmark = pytest.mark.timeout(120)
Until = Callable[..., Awaitable[None]]


@asynccontextmanager
async def machine(town: Town, name: str, role: NodeRole) -> AsyncGenerator[Core]:
    """A node with a data directory of its own, which delivers files if it is told to."""
    settings = settings_in(town.folder / name, database_url=town.url)
    settings = changed(settings, artefacts_shared=True)
    async with open_core(settings, QuickExecutor(), role=role) as core:
        yield core


def delivers(core: Core) -> None:
    core.router.register(WatchedDelivery(core.membership.files))


async def _make(core: Core, out: Path) -> str:
    reply_to = core.membership.files.reply_to(out)
    ticket = await submit_request(core, t2v(), Requester("cli", "1000"), reply_to, out.stem)
    return ticket.job_id


async def test_a_machine_writes_no_file_of_another_one(town: Town, until: Until) -> None:
    theirs, ours = town.folder / "theirs.mp4", town.folder / "ours.mp4"

    async def both_owed_settled() -> bool:
        return ours.exists()

    async with machine(town, "other", NodeRole.SERVICE) as other:
        async with running(other):  # each makes its own job, as clips lie in folders of their own
            await until_ended(other, await _make(other, theirs))
        async with machine(town, "this", NodeRole.SERVICE) as this, running(this):
            delivers(this)
            await _make(this, ours)  # owed later, so that of the other machine was passed over
            await until(both_owed_settled)

        assert not theirs.exists()
        assert not (await other.outbox.counts()).dead
        delivers(other)

        async def written() -> bool:
            return theirs.exists()

        async with running(other):
            await until(written)


async def test_a_machine_that_comes_back_writes_what_was_owed_to_it(
    town: Town, until: Until
) -> None:
    out = town.folder / "late.mp4"
    async with machine(town, "other", NodeRole.SERVICE) as other, running(other):
        await until_ended(other, await _make(other, out))

    async with machine(town, "other", NodeRole.SERVICE) as back, running(back):
        delivers(back)

        async def written() -> bool:
            return out.exists()

        await until(written)


async def test_what_waits_for_a_machine_too_long_is_given_up_and_told(town: Town) -> None:
    out = town.folder / "never.mp4"
    async with machine(town, "other", NodeRole.SERVICE) as other, running(other):
        job_id = await _make(other, out)
        await until_ended(other, job_id)
    async with machine(town, "this", NodeRole.SERVICE) as this:
        await this.housekeeping.prune()
        assert await this.alerts.counts() == {}
        async with this.database.transaction() as connection:
            await connection.exec_driver_sql(
                "UPDATE outbox SET next_at_ms = next_at_ms - 8 * 86400000"
            )

        await this.housekeeping.prune()

        assert (await this.alerts.counts())["delivery_dead"].total == 1
        assert (await this.outbox.counts()).dead == 1
        assert (await this.jobs.get(job_id)).clip is not None
        assert not out.exists()
