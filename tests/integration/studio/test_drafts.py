"""Four drafts, one of them finished: by Gradio's endpoints, the plain interface and agents."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from core.settings import Settings
from core.testing.doubles import QuickExecutor, eventually
from tests.integration.studio.test_agents import answer, use
from tests.integration.studio.test_api import connect, predict
from tests.integration.studio.test_programs import programs
from webui.testing.server import ServedStudio

SMALL = {"prompt": "a boat", "width": 512, "height": 512, "seconds": 1.0, "drafts": "4"}
KEY = {"x-clapper-key": "the secret of one who drafts"}
OURS = {"X-Clapper": "1"}


@pytest.fixture
def studio_settings(settings_with: Callable[..., Settings]) -> Settings:
    return settings_with(studio_port=0, max_queued=20, studio_mcp=True)


async def ended(look: Callable[[], Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}

    async def over() -> bool:
        nonlocal found
        found = await look()
        return not found["live"]

    await eventually(over, 30)
    return found


async def test_gradios_endpoints_name_the_row_and_finish_one_of_it(studio: ServedStudio) -> None:
    client = await connect(studio, headers=KEY)
    taken = await predict(client, "t2v", **SMALL)
    row = taken["drafts"]
    for job in row:
        draft = await ended(lambda job=job: predict(client, "status", job=job))
        assert (draft["drafts"], row[draft["group_number"] - 1]) == (row, job)

    finished = await predict(client, "follow_up", job=row[2], action="quality")
    whole = await ended(lambda: predict(client, "status", job=finished["job"]))
    others = await predict(client, "follow_up", job=row[2], action="again")

    assert (len(set(row)), taken["job"]) == (4, row[0])
    assert (whole["parent"], whole["width"], whole["drafts"]) == (row[2], 512, [])
    assert len(set(others["drafts"]) - set(row)) == 4


async def test_the_plain_interface_names_the_row_and_finishes_one_of_it(
    studio: ServedStudio, executor: QuickExecutor
) -> None:
    async with programs(studio) as issue:
        robot = await issue()
        taken = (await robot.post("/jobs", json={"mode": "t2v", **SMALL})).json()
        listed = (await robot.get("/jobs")).json()["jobs"]
        row = taken["drafts"]

        async def look(job: str) -> dict[str, Any]:
            return (await robot.get(f"/jobs/{job}")).json()

        drafts = [await ended(lambda job=job: look(job)) for job in row]
        finished = await robot.post(f"/jobs/{row[1]}/actions/quality")
        whole = await ended(lambda: look(finished.json()["id"]))
        executor.gate.clear()
        stopped = (await robot.post(f"/jobs/{row[1]}/actions/again")).json()["drafts"]
        assert (await robot.delete(f"/jobs/{stopped[0]}")).status_code == 200
        executor.gate.set()
        states = {(await ended(lambda job=job: look(job)))["state"] for job in stopped}

    assert (len(set(row)), {one["id"] for one in listed}) == (4, set(row))
    assert all(one["drafts"] == row for one in [*listed, *drafts])
    assert len({one["seed"] for one in drafts}) == 4
    assert (finished.status_code, whole["seed"], whole["drafts"]) == (201, drafts[1]["seed"], [])
    assert whole["clip"]["width"] == 512
    assert states == {"cancelled"}


async def test_agents_learn_the_row_and_finish_one_of_it(studio: ServedStudio) -> None:
    taken = answer(await use(studio, "t2v", KEY, **SMALL))
    row = taken["drafts"]

    async def look(job: str) -> dict[str, Any]:
        return answer(await use(studio, "status", KEY, job=job))

    draft = await ended(lambda: look(row[3]))
    finished = answer(await use(studio, "follow_up", KEY, job=row[3], action="quality"))
    whole = await ended(lambda: look(finished["job"]))
    wrong = await use(studio, "follow_up", KEY, job=row[3], action="delete")

    assert (draft["drafts"], draft["group_number"], len(row)) == (row, 4, 4)
    assert (whole["parent"], whole["width"]) == (row[3], 512)
    assert wrong.isError


async def test_the_page_shows_the_row_and_ends_it_as_one(
    studio: ServedStudio, executor: QuickExecutor, browser: httpx.AsyncClient
) -> None:
    executor.gate.clear()
    await browser.get("/")
    form = {"key": "0" * 32, "values": SMALL}
    sent = await browser.post("/studio/forms/t2v/generate", json=form, headers=OURS)
    first = sent.json()["job"]
    assert first, sent.json()["card"]["error"]

    async def state(job: str = first) -> dict[str, Any]:
        return (await browser.get(f"/studio/state?job={job}")).json()

    row = [one["id"] for one in (await state())["drafts"]]
    assert [one["group_label"] for one in (await state(row[2]))["drafts"]] == [
        f"Draft {number} of 4" for number in (1, 2, 3, 4)
    ]
    executor.gate.set()
    for job in row:
        await ended(lambda job=job: one_of(state, job))
    drafts = (await state(row[1]))["drafts"]
    labels = [
        (button["label"], bool(button["price"]))
        for draft in drafts
        for button in draft["buttons"]
        if button["action"] == "quality"
    ]
    assert labels == [(f"Finish {number}", True) for number in (1, 2, 3, 4)]
    shown = (await browser.get("/studio/history")).json()["items"]
    assert [one["group"] for one in shown] == [first] * 4
    again = next(one for one in shown[0]["buttons"] if one["action"] == "again")
    assert again["price"]

    gone = await browser.post("/studio/gallery/delete", json={"jobs": [row[3]]}, headers=OURS)
    assert sorted(gone.json()["jobs"]) == sorted(row)
    assert (await browser.get("/studio/history")).json()["items"] == []
    assert all(one["ending"] for one in (await state(row[1]))["drafts"])
    await browser.post(f"/studio/jobs/{row[1]}/undo", json={}, headers=OURS)
    assert len((await browser.get("/studio/history")).json()["items"]) == 4


async def one_of(state: Callable[[str], Any], job: str) -> dict[str, Any]:
    return (await state(job))["job"]
