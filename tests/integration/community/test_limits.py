"""Limits of places, guests and networks outlive what is deleted and who is forgotten."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.app.bootstrap import open_core
from core.app.core import Core
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.people import Caller, Payer, Requester
from core.domain.quota import LimitBalance
from core.errors import QuotaExceeded, ShareTooCostly
from core.i18n.messages import explain
from core.settings import Settings
from core.testing.doubles import QuickExecutor, RecordingDelivery, eventually, running
from tests.support.jobs import ask

OPTIONS = Options(prompt="a red kite", preset="fast", width=256, height=256, seconds=1)
LONG = replace(OPTIONS, width=768, height=512, seconds=10)
GUILD = "discord:100"
ANN = Caller(Requester("discord", "1"), GUILD)
BEN = Caller(Requester("discord", "2"), GUILD)
GROUP = Caller(Requester("telegram", "3"), "telegram:-7")
GUESTS = [
    Caller(Requester("studio", f"guest-{name * 16}"), "studio", payer=Payer.guest("home"))
    for name in "ab"
]


async def balances(core: Core, who: Caller) -> dict[str, LimitBalance]:
    return {one.name: one for one in (await core.users.quota(who)).balances}


async def made_and_forgotten(core: Core, who: Caller) -> dict[str, LimitBalance]:
    """Let ``who`` make a clip and then forget everything; return the balances before that."""
    ticket = await ask(core, who, "one", OPTIONS)

    async def ended() -> bool:
        return (await core.jobs.get(ticket.job_id)).state.terminal

    await eventually(ended)
    before = await balances(core, who)
    assert all(one.used > 0 for one in before.values())
    assert await core.users.forget(who) == 1
    return before


@pytest.fixture
def small_places(settings_with: Callable[..., Settings]) -> Settings:
    return settings_with(place_minutes=1000)


@pytest.mark.parametrize("who", [ANN, GROUP, *GUESTS[:1]], ids=["guild", "group", "guest"])
async def test_forgetting_a_person_frees_no_limit(small_places: Settings, who: Caller) -> None:
    async with open_core(small_places, QuickExecutor()) as core:
        core.router.register(RecordingDelivery())
        async with running(core):
            before = await made_and_forgotten(core, who)

        assert await balances(core, who) == before


async def test_what_one_person_spent_counts_for_the_others_in_the_place(
    small_places: Settings,
) -> None:
    async with open_core(small_places, QuickExecutor()) as core:
        job = await core.jobs.get((await ask(core, ANN, "one", OPTIONS)).job_id)

        theirs = await balances(core, BEN)
        assert job.place == GUILD
        assert (theirs["own"].reserved, theirs["place"].reserved) == (0, job.estimate_ms)
        assert (await core.users.standing(BEN)).quota.balances == tuple(theirs.values())
        assert set(await balances(core, GROUP)) == {"own", "place"}
        assert (await balances(core, GROUP))["place"].reserved == 0
        assert set(await balances(core, replace(BEN, place="discord:200"))) == {"own", "place"}
        assert set(await balances(core, GUESTS[0])) == {"guests", "network"}


async def test_what_guests_spent_counts_for_the_next_one(small_places: Settings) -> None:
    async with open_core(small_places, QuickExecutor()) as core:
        job = await core.jobs.get((await ask(core, GUESTS[0], "one", OPTIONS)).job_id)

        there = await balances(core, GUESTS[1])

        assert {one.reserved for one in there.values()} == {job.estimate_ms}


async def test_a_place_that_is_nearly_spent_names_what_fits_and_when_it_is_full_again(
    settings_with: Callable[..., Settings],
) -> None:
    async with open_core(settings_with(), QuickExecutor()) as probe:
        composition = await probe.users.compose(ANN, Mode.T2V, LONG, {})
        cost_ms = probe.runs.estimate(composition.request).gpu_ms
    settings = settings_with(place_minutes=1.5 * cost_ms / 60_000)
    async with open_core(settings, QuickExecutor()) as core:
        await ask(core, ANN, "one", LONG)
        preview = await core.users.preview(BEN, Mode.T2V, LONG, {})

        with pytest.raises(ShareTooCostly) as refused:
            await ask(core, BEN, "two", LONG)

        left = (await balances(core, BEN))["place"]
        named = refused.value
        assert (named.scope, named.limit_ms, named.resets_at_ms) == (
            "place",
            left.left,
            left.resets_at_ms,
        )
        assert "everybody here together has" in explain(named)
        assert "alle hier zusammen haben" in explain(named, "de")
        assert isinstance(preview.refusal, QuotaExceeded)
        assert preview.refusal.scope == "place"
        assert preview.fitting is not None
        assert preview.fitting.sampling.width == named.width
        await ask(core, replace(BEN, place="discord:200"), "three", LONG)


async def test_a_group_that_becomes_a_supergroup_keeps_what_it_spent(
    small_places: Settings,
) -> None:
    async with open_core(small_places, QuickExecutor()) as core:
        job = await core.jobs.get((await ask(core, GROUP, "one", OPTIONS)).job_id)

        await core.community.moderation.move_place(GROUP.place, "telegram:-100")

        moved = await balances(core, replace(GROUP, place="telegram:-100"))
        assert moved["place"].left == moved["place"].limit - job.estimate_ms
