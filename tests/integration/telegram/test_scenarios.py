"""What every chat platform promises, on Telegram."""

import pytest

from tests.support.platforms.scenarios import SCENARIOS, Scenario, play


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_telegram_keeps_the_promise(scenario: Scenario, stage) -> None:
    await play(scenario, stage)
