"""A hasty hand presses twice: every button of a finished clip does what it says once."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import expect

from core.domain.followups import Action, actions_for
from core.service.follow_ups import MAKING
from core.testing.doubles import eventually
from tests.browser.test_gallery import requester_of
from webui.testing.server import ServedStudio

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
Visits = Callable[..., Awaitable[Any]]
NO_BUTTON = {Action.DETAILS, Action.FETCH}  # its facts and the clip are there


async def test_every_action_is_one_however_often_it_is_pressed(
    visit: Visits, studio: ServedStudio
) -> None:
    visitor = await visit()
    page, jobs = visitor.page, studio.core.jobs
    await visitor.open()
    who = await requester_of(visitor, studio)
    await page.fill("#prompt-t2v textarea", "a boat")
    await visitor.small("t2v")
    await page.dblclick("#go-t2v")
    await visitor.film()
    (first,) = await jobs.jobs_of(who)
    offered = set(actions_for(first, studio.core.users.limits)) - NO_BUTTON
    assert offered >= {Action.AGAIN, Action.LONGER, Action.QUALITY, Action.EDIT, Action.DELETE}

    async def all_over() -> bool:
        return all(job.state.terminal for job in await jobs.jobs_of(who))

    for action in sorted(offered, key=lambda one: (one is Action.DELETE, one)):
        before = len(await jobs.jobs_of(who))
        await page.goto(f"{visitor.url}/?mode=t2v&job={first.id}")
        button = page.locator(f"#stage [data-action={action}][data-job='{first.id}']")
        await button.wait_for()
        await button.dblclick()
        if action in MAKING:
            await expect(page.locator(f"#stage [data-job='{first.id}']")).to_have_count(0)
        elif action is Action.DELETE:
            await expect(page.locator("#stage [data-action=undo]")).to_be_visible()
        await eventually(all_over, 60)

        after = len(await jobs.jobs_of(who))
        assert after - before == (action in MAKING), action
