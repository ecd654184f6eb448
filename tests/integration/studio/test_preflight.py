"""What the card says before anybody presses Generate."""

from core.app.core import Core
from core.app.serve import front_services
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.people import Requester
from core.duration import BY_KEY, Machine, Tier
from core.errors import TooCostly
from webui.auth.uploads import Uploads
from webui.auth.visitors import Visitor
from webui.page.preflight import Preflight
from webui.studio.service import StudioService


async def test_what_no_lender_gives_is_said_with_what_it_takes_and_a_setting_that_fits(
    core: Core,
) -> None:
    core.runs.machine, core.runs.tier = Machine(BY_KEY["rtx-pro-6000-half"], "fp8"), Tier.ANONYMOUS
    preflight = Preflight(StudioService(front_services(core), Uploads()))
    visitor = Visitor(Requester("studio", "ann"))
    long = Options("a kite", "quality", 1920, 1088, None, 20, 24, seed=1)

    card = await preflight.card(Mode.T2V, long, {}, visitor)

    assert isinstance(card.error, TooCostly)
    assert card.rows
    assert card.fix is not None
    changes = {key: card.fix.changes[key] for key in ("preset", "width", "height", "seconds")}
    smaller = Options("a kite", fps=24, seed=1, **changes)
    assert (await preflight.card(Mode.T2V, smaller, {}, visitor)).error is None
