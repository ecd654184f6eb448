"""The addresses that the forms ask: for the page only, once per key, clear about bad input."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.domain.modes import MODES, Mode
from webui.testing.server import ServedStudio

KEY = "0123456789abcdef" * 2
STANDING = pytest.mark.asyncio(loop_scope="module")
VALUES = {"prompt": "a boat", "preset": "fast", "seconds": 1, "width": 256, "height": 256}


async def ask(client: httpx.AsyncClient, address: str, **body: Any) -> httpx.Response:
    return await client.post(f"/studio/{address}", json=body)


async def upload(client: httpx.AsyncClient, path: Path) -> str:
    content = await asyncio.to_thread(path.read_bytes)
    answer = await client.post("/gradio_api/upload", files={"files": (path.name, content)})
    return str(answer.json()[0])


async def test_the_same_key_is_the_same_job_for_one_person_and_another_for_others(
    browser: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    for client in (browser, stranger):
        await client.get("/studio/state")

    first = (await ask(browser, "forms/t2v/generate", values=VALUES, key=KEY)).json()
    again = (await ask(browser, "forms/t2v/generate", values=VALUES, key=KEY)).json()
    other = (await ask(stranger, "forms/t2v/generate", values=VALUES, key=KEY)).json()

    assert first["job"] == again["job"] != ""
    assert other["job"] not in {"", first["job"]}
    assert first["drawn"] == again["drawn"]
    assert first["drawn"].keys() == {"seed"}


@STANDING
@pytest.mark.parametrize("address", ["forms/t2v/look", "forms/t2v/generate", "dropped"])
async def test_forms_need_the_pages_own_header(passer_by: httpx.AsyncClient, address: str) -> None:
    del passer_by.headers["X-Clapper"]

    assert (await ask(passer_by, address, values=VALUES, key=KEY)).status_code == 403


@STANDING
@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"seconds": "long"}, "not_a_number"),
        ({"fps": [24]}, "not_a_number"),
        ({"width": 1e400}, "not_a_number"),
        ({"preset": "superb"}, "not_a_choice"),
        ({"camera": {"a": 1}}, "not_a_choice"),
        ({"lock": "yes"}, "not_a_choice"),
        ({"prompt": 7}, "not_a_choice"),
        ({"prompt": "a boat", "seed": "x", "lock": True}, "seed_not_a_number"),
    ],
)
async def test_what_no_form_would_send_is_told_and_makes_no_job(
    open_studio: ServedStudio,
    passer_by: httpx.AsyncClient,
    values: dict[str, Any],
    code: str,
) -> None:
    for event in ("look", "generate"):
        body = json.dumps({"values": values, "key": KEY})
        answer = await passer_by.post(f"/studio/forms/t2v/{event}", content=body)
        assert answer.status_code == 200
        assert answer.json()["card"]["error"]["code"] == code
    assert (await open_studio.core.health.read()).waiting == 0


@STANDING
@pytest.mark.parametrize("strange", ["half a sign: \ud83d", "a\0b"])
async def test_texts_that_no_database_takes_are_answered_in_words(
    passer_by: httpx.AsyncClient, strange: str
) -> None:
    for values in ({"prompt": strange}, {"prompt": "a boat", "style": strange}):
        content = json.dumps({"values": values})
        answer = await passer_by.post("/studio/forms/t2v/look", content=content)
        assert answer.status_code == 200
        error = answer.json()["card"]["error"]
        assert (error["code"] if error else "") == ("style_unknown" if "style" in values else "")


@STANDING
@pytest.mark.parametrize("content", [b"[]", b"{", b"[" * 100_000, b"x" * 300_000])
async def test_a_body_that_is_no_form_is_refused(
    passer_by: httpx.AsyncClient, content: bytes
) -> None:
    answer = await passer_by.post("/studio/forms/t2v/generate", content=content)

    assert answer.status_code == 400


@STANDING
@pytest.mark.parametrize("mode", [mode for mode in Mode if MODES[mode].slots])
async def test_a_file_that_is_gone_or_foreign_is_named_and_nothing_is_asked_for(
    open_studio: ServedStudio,
    passer_by: httpx.AsyncClient,
    another: httpx.AsyncClient,
    picture: Path,
    mode: Mode,
) -> None:
    for client in (passer_by, another):
        await client.get("/studio/state")
    lost, foreign = await upload(passer_by, picture), await upload(another, picture)
    shutil.rmtree(Path(lost).parent)
    for path in (lost, foreign, "/etc/passwd", "../x", str(picture)):
        values = {"prompt": "a boat", **{slot.role: path for slot in MODES[mode].slots}}
        for event in ("look", "generate"):
            answer = await ask(passer_by, f"forms/{mode}/{event}", values=values, key=KEY)
            assert answer.json()["gone"] == [slot.role for slot in MODES[mode].slots]
    assert (await open_studio.core.health.read()).waiting == 0
    assert (await ask(passer_by, "dropped", path=lost)).json() == {"gone": True}


@STANDING
async def test_a_frame_of_somebody_elses_clip_is_not_given(
    passer_by: httpx.AsyncClient,
) -> None:
    answer = await ask(passer_by, f"jobs/{'0' * 32}/last_frame")

    assert answer.status_code == 404


async def test_a_repeated_form_is_answered_although_its_file_is_gone_and_another_is_told(
    studio: ServedStudio, browser: httpx.AsyncClient, picture: Path
) -> None:
    await browser.get("/studio/state")
    path = await upload(browser, picture)
    values = {**VALUES, "image": path}
    first = (await ask(browser, "forms/i2v/generate", values=values, key=KEY)).json()
    assert first["job"], first
    changed = {**values, "prompt": "a ship"}
    other = (await ask(browser, "forms/i2v/generate", values=changed, key=KEY)).json()
    await asyncio.to_thread(Path(path).unlink)

    again = (await ask(browser, "forms/i2v/generate", values=values, key=KEY)).json()

    assert again["job"] == first["job"]
    assert (other["job"], other["card"]["error"]["code"]) == ("", "key_reused")
    assert first["job"] in other["card"]["error"]["text"]
