"""What visitors may use where the GPU is lent to each of them, and what they are shown of it."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request

from core.app.core import Core
from core.domain.jobs import ReplyTo
from core.domain.presets import Preset
from core.domain.quota import LimitBalance, QuotaView
from core.domain.requests import Sampling
from core.duration import BY_KEY, Machine, Tier
from core.duration.zerogpu import DAY_S
from core.errors import NothingFits, QuotaExceeded, ShareTooCostly, TooCostly
from core.settings import Settings
from core.testing.doubles import t2v
from core.testing.jobs import submit_request
from webui.auth.session_cookie import COOKIE, AccountSession, SessionSigner
from webui.auth.visitors import HUGGING_FACE, Visitor, VisitorAuthenticator
from webui.views.jobs import quota_line

LONG = replace(t2v(), sampling=Sampling(Preset.QUALITY, 1920, 1088, 241, 24, seed=1))
SHORT = replace(t2v(), sampling=Sampling(Preset.DRAFT, 640, 384, 121, 24, seed=1))
GIVEN = {tier.value: seconds * 1000 for tier, seconds in DAY_S.items()}
SIGNER = SessionSigner(b"k" * 64)


@pytest.fixture(autouse=True)
def folder(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)  # the key of networks lies there


DAYS = {Tier.ANONYMOUS: 120_000, Tier.FREE: 300_000, Tier.PRO: 2_400_000}


def visit(settings: Settings, tier: Tier, name: str = "7", address: str = "9.9.9.9") -> Visitor:
    """One who came from elsewhere: a guest, or signed in with or without PRO."""
    cookie = f"clapper_visitor={name * 32}"
    if tier is not Tier.ANONYMOUS:
        pro = tier is Tier.PRO
        session = AccountSession(HUGGING_FACE, name, "ada", int(time.time()) + 60, pro)
        cookie = f"{COOKIE}={SIGNER.sign(session)}"
    headers = [(b"cookie", cookie.encode()), (b"host", b"space.hf.space")]
    scope: dict[str, Any] = {"type": "http", "headers": headers, "client": (address, 1)}
    visitor = VisitorAuthenticator(settings, None, SIGNER, days_ms=GIVEN).visitor(Request(scope))
    assert visitor is not None
    return visitor


@pytest.mark.parametrize("tier", DAYS)
def test_everybody_pays_with_the_day_that_the_lender_gives_them(
    settings: Settings, tier: Tier
) -> None:
    visitor = visit(settings, tier)

    assert visitor.payer is not None
    assert (visitor.payer.tier, visitor.payer.limit_ms) == (tier.value, DAYS[tier])
    assert visitor.payer.key == visitor.requester.key  # nobody pays for others


def test_the_operator_may_name_one_tier_for_all_and_give_less_of_it(
    settings_with: Callable[..., Settings],
) -> None:
    team = settings_with(studio_tier="team")
    less = settings_with(studio_pro_minutes=10)

    assert {visit(team, tier).payer.tier for tier in DAYS} == {"team"}  # type: ignore[union-attr]
    assert visit(less, Tier.PRO).payer.limit_ms == 600_000  # type: ignore[union-attr]
    assert visit(less, Tier.FREE).payer.limit_ms == 300_000  # type: ignore[union-attr]


def test_where_the_gpu_is_ours_nothing_is_said_of_tiers(settings: Settings) -> None:
    scope: dict[str, Any] = {"type": "http", "headers": [], "client": ("9.9.9.9", 1)}
    visitor = VisitorAuthenticator(settings, None).visitor(Request(scope))

    assert visitor is not None
    assert visitor.payer is not None
    assert (visitor.payer.tier, visitor.payer.shared) == ("", True)


@pytest.fixture
def lent(core: Core) -> Core:
    """A core whose GPU is lent."""
    core.runs.machine, core.runs.tier = Machine(BY_KEY["rtx-pro-6000-half"], "fp8"), Tier.ANONYMOUS
    return core


async def ask(core: Core, request: Any, visitor: Visitor, key: str) -> str:
    payer = visitor.payer
    ticket = await submit_request(
        core, request, visitor.requester, ReplyTo("test"), key, payer=payer
    )
    return ticket.job_id


@pytest.mark.parametrize(
    ("tier", "admitted"), [(Tier.ANONYMOUS, False), (Tier.FREE, False), (Tier.PRO, True)]
)
async def test_what_the_day_of_the_visitor_does_not_hold_is_refused_with_the_largest_that_fits(
    lent: Core, settings: Settings, tier: Tier, *, admitted: bool
) -> None:
    visitor = visit(settings, tier)
    if admitted:
        assert await ask(lent, LONG, visitor, "one")
        return

    with pytest.raises(TooCostly) as refused:
        await ask(lent, LONG, visitor, "one")

    told = refused.value
    assert told.need_ms > told.limit_ms == DAYS[tier]
    frames = round(told.seconds * 24 / 8) * 8 + 1
    named = Sampling(Preset(told.preset), told.width, told.height, frames, 24, seed=1)
    assert await ask(lent, replace(LONG, sampling=named), visitor, "two")
    assert (await lent.jobs.jobs_of(visitor.requester, 5))[0].id


async def test_a_day_holds_only_what_is_left_of_it(lent: Core, settings: Settings) -> None:
    visitor = visit(settings, Tier.ANONYMOUS)
    assert visitor.payer is not None
    need_ms = lent.runs.cost_ms(lent.runs.estimate(SHORT))
    count = DAYS[Tier.ANONYMOUS] // need_ms
    for number in range(count):
        await ask(lent, SHORT, visitor, str(number))

    with pytest.raises((QuotaExceeded, ShareTooCostly, TooCostly, NothingFits)):
        await ask(lent, SHORT, visitor, "more")

    view = await lent.quotas.quota(visitor.requester, visitor.payer)
    assert view.left_ms == DAYS[Tier.ANONYMOUS] - count * need_ms
    assert view.tier == "anonymous"


async def test_guests_of_one_address_have_one_day_as_the_lender_counts(
    lent: Core, settings: Settings
) -> None:
    one, other, far = (
        visit(settings, Tier.ANONYMOUS, name, address)
        for name, address in (("1", "9.9.9.9"), ("2", "9.9.9.9"), ("3", "8.8.8.8"))
    )
    await ask(lent, SHORT, one, "one")
    left = [
        (await lent.quotas.quota(visitor.requester, visitor.payer)).left_ms
        for visitor in (one, other, far)
    ]

    need_ms = lent.runs.cost_ms(lent.runs.estimate(SHORT))
    assert left == [120_000 - need_ms, 120_000 - need_ms, 120_000]


def test_the_page_shows_the_tier_its_day_and_what_is_left() -> None:
    day = LimitBalance("own", 300_000, used=73_000, resets_at_ms=1_800_000_000_000)

    used = quota_line(QuotaView((day,), "free"))
    fresh = quota_line(QuotaView((LimitBalance("own", 2_400_000),), "pro"))
    guest = quota_line(QuotaView((LimitBalance("own", 120_000), day), "anonymous"))

    assert used.text.startswith("Free account: 3 min 47 s of 5 min")
    assert fresh.text.startswith("PRO account: 40 min")
    assert guest.text.startswith("Without an account: 2 min")
    assert (used.share, fresh.share) == (227 / 300, 1.0)
