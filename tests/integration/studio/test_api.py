"""Programs: every named endpoint through the real client."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file

from core.app.bootstrap import open_core
from core.demo.samples import write_png, write_video, write_wav
from core.domain.modes import MODES, Mode
from core.domain.options import Options
from core.domain.people import Requester
from core.domain.request_builder import compose
from core.settings import Settings
from core.testing.doubles import QuickExecutor, eventually
from webui.auth.guard import JOB_ENDPOINTS
from webui.testing.server import ServedStudio, served

SMALL = {"preset": "fast", "width": 256, "height": 256, "seconds": 1.0}
STANDING = pytest.mark.asyncio(loop_scope="module")
KEY = {"x-clapper-key": "a-secret-of-the-first-program"}


async def connect(studio: ServedStudio, **options: Any) -> Client:
    patient = {"timeout": 60}  # s; the client's own 5 s are too few for a busy machine
    return await asyncio.to_thread(
        Client, studio.url, verbose=False, httpx_kwargs=patient, **options
    )


async def predict(client: Client, name: str, **values: Any) -> Any:
    return await asyncio.to_thread(lambda: client.predict(api_name=f"/{name}", **values))


async def finished(client: Client, job: str) -> dict[str, Any]:
    async def done() -> bool:
        return not (await predict(client, "status", job=job))["live"]

    await eventually(done, 30)
    return await predict(client, "status", job=job)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    image = handle_file(write_png(tmp_path / "a.png"))
    return {
        "image": image,
        "first": image,
        "last": handle_file(write_png(tmp_path / "b.png", shade=200)),
        "audio": handle_file(write_wav(tmp_path / "a.wav")),
        "video": handle_file(write_video(tmp_path / "a.mp4", frames=30)),
    }


@STANDING
@pytest.mark.parametrize(
    ("mode", "roles"),
    [
        ("t2v", ()),
        ("i2v", ("image",)),
        ("a2v", ("audio",)),
        ("lipsync", ("image", "audio")),
        ("keyframe", ("first", "last")),
        ("style", ("video", "image")),
    ],
)
async def test_every_mode_is_an_endpoint_that_answers_with_a_job(
    open_studio: ServedStudio, files: dict[str, Any], mode: str, roles: tuple[str, ...]
) -> None:
    client = await connect(open_studio)
    media = {role: files[role] for role in roles}

    accepted = await predict(client, mode, prompt="a boat at sea", **media, **SMALL)
    status = await finished(client, accepted["job"])
    result = await predict(client, "result", job=accepted["job"])

    assert status["state"] == "succeeded"
    assert status["mode"] == mode
    assert (result["width"], result["height"]) == (256, 256)
    assert accepted["estimate_seconds"] > 0
    async with httpx.AsyncClient(
        timeout=60, base_url=open_studio.url, cookies=client.cookies
    ) as http:
        video = await http.get(result["video"])
    assert len(video.content) == result["bytes"]


@STANDING
async def test_only_the_documented_endpoints_are_public(open_studio: ServedStudio) -> None:
    async with httpx.AsyncClient(timeout=60, base_url=open_studio.url) as http:
        info = (await http.get("/gradio_api/info")).json()

    made = {f"/{mode}" for mode in MODES}
    assert set(info["named_endpoints"]) == {*made, *(f"/{name}" for name in JOB_ENDPOINTS)}
    assert info["unnamed_endpoints"] == {}
    assert info["named_endpoints"]["/t2v"]["parameters"][0]["parameter_name"] == "prompt"


async def test_cancel_stops_the_job_and_refunds_it(
    studio: ServedStudio, executor: QuickExecutor
) -> None:
    executor.gate.clear()
    client = await connect(studio)
    accepted = await predict(client, "t2v", prompt="a boat", **SMALL)
    await executor.started.wait()

    stopped = await predict(client, "cancel", job=accepted["job"])

    assert stopped["state"] == "cancelled"
    assert stopped["error"]["code"] == "cancelled"


@STANDING
async def test_a_refusal_has_a_code_and_a_sentence(open_studio: ServedStudio) -> None:
    client = await connect(open_studio)

    with pytest.raises(Exception, match="Length 99 s is not possible") as caught:
        await predict(client, "t2v", prompt="a boat", preset="fast", seconds=99.0)

    assert getattr(caught.value, "title", "") == "out_of_range"


@STANDING
async def test_a_program_with_the_same_key_finds_its_jobs_again(open_studio: ServedStudio) -> None:
    first = await connect(open_studio, headers=KEY)
    job = (await predict(first, "t2v", prompt="a boat", **SMALL))["job"]

    second = await connect(open_studio, headers=KEY)

    assert (await finished(second, job))["state"] == "succeeded"


@STANDING
async def test_another_program_can_neither_see_nor_stop_nor_fetch_a_job(
    open_studio: ServedStudio,
) -> None:
    owner, stranger = await connect(open_studio), await connect(open_studio)
    job = (await predict(owner, "t2v", prompt="a boat", **SMALL))["job"]
    await finished(owner, job)

    for endpoint in JOB_ENDPOINTS:
        more = {"action": "again"} if endpoint == "follow_up" else {}
        with pytest.raises(Exception, match="no job") as refused:
            await predict(stranger, endpoint, job=job, **more)
        assert getattr(refused.value, "title", "") == "job_unknown"


@STANDING
async def test_an_upload_of_another_program_cannot_be_used(
    open_studio: ServedStudio, picture: Path
) -> None:
    stranger = await connect(open_studio)
    content = await asyncio.to_thread(picture.read_bytes)
    async with httpx.AsyncClient(timeout=60, base_url=open_studio.url, headers=KEY) as http:
        sent = await http.post("/gradio_api/upload", files={"files": content})
    path = sent.json()[0]
    stolen = {"path": path, "meta": {"_type": "gradio.FileData"}}

    async with httpx.AsyncClient(
        timeout=60, base_url=open_studio.url, cookies=stranger.cookies
    ) as http:
        foreign = await http.get(f"/gradio_api/file={path}")
        async with httpx.AsyncClient(timeout=60, base_url=open_studio.url, headers=KEY) as own:
            mine = await own.get(f"/gradio_api/file={path}")
        posted = await http.post(
            "/gradio_api/call/i2v",
            json={"data": [stolen, "x", "fast", None, 1.0, None, "none", 256, 256, None, "", None]},
        )
        event = posted.json()["event_id"]
        answer = await http.get(f"/gradio_api/call/i2v/{event}")

    assert foreign.status_code == 404
    assert mine.content == content
    assert "event: error" in answer.text


async def test_guests_from_elsewhere_have_a_small_quota_of_their_own(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    settings = settings_with(studio_port=0, studio_guest_minutes=0.001)
    async with served(settings, executor) as studio:
        at_home = await connect(studio)
        elsewhere = await connect(studio, headers={"x-forwarded-for": "203.0.113.9"})

        await predict(at_home, "t2v", prompt="a boat", **SMALL)
        with pytest.raises(Exception, match="GPU time"):
            await predict(elsewhere, "t2v", prompt="a boat", **SMALL)


async def test_new_keys_bring_guests_nothing_and_other_networks_the_rest_of_what_all_share(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    async with open_core(settings_with(), QuickExecutor()) as probe:
        options = Options(prompt="a boat", preset="fast", width=256, height=256, seconds=1.0)
        request = compose(Mode.T2V, options, {}, probe.users.limits).request
        minute = probe.runs.estimate(request).gpu_ms / 60_000
    settings = settings_with(
        studio_port=0,
        max_queued=100,
        studio_guest_minutes=5.5 * minute,
        studio_network_minutes=3.5 * minute,
    )
    executor.gate.clear()

    async def ask(url: str, key: str, address: str) -> str:
        headers = {"x-clapper-key": f"{key}-of-a-program", "x-forwarded-for": address}
        async with httpx.AsyncClient(timeout=60, base_url=url, headers=headers) as http:
            data = ["a boat", "fast", None, 1.0, None, "none", 256, 256, None, "", None]
            posted = await http.post("/gradio_api/call/t2v", json={"data": data})
            event = posted.json()["event_id"]
            return (await http.get(f"/gradio_api/call/t2v/{event}")).text

    async with served(settings, executor) as studio:
        one = [await ask(studio.url, f"key{number}", "203.0.113.9") for number in range(5)]
        near = [await ask(studio.url, f"near{n}", f"2001:db8::{n}") for n in range(5)]
        jobs = await studio.core.jobs.in_order()
        guest = Requester("studio", "guest-any")
        view = await studio.core.quotas.quota(guest)
        executor.gate.set()

    accepted = [sum("event: error" not in answer for answer in part) for part in (one, near)]
    assert accepted == [3, 2]
    assert len({job.requester for job in jobs}) == len(jobs) == 5
    assert view.left_ms < view.limit_ms / 5
    assert view.reserved_ms + view.used_ms == sum(job.estimate_ms for job in jobs)


@STANDING
async def test_a_call_leaves_no_copy_of_the_page_behind(
    open_studio: ServedStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webui.page.session_state import Sessions

    made: list[Sessions] = []
    get = Sessions.__getitem__

    def noting(self: Sessions, session: str) -> Any:
        made.append(self)
        return get(self, session)

    monkeypatch.setattr(Sessions, "__getitem__", noting)
    client = await connect(open_studio)
    await predict(client, "t2v", prompt="a boat", **SMALL)

    assert made
    ours = [*made[0].session_data.values()][-1]
    assert len(ours.config_values) < 20  # what the call changed, of hundreds of components
    assert made[0].capacity == 2000


@STANDING
@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("seed", "abc", "“abc” is no seed"),
        ("seed", "-4", "“-4” is no seed"),
        ("seed", 1.5, "“1.5” is no seed"),
        ("seconds", "long", "“long” is no number for Length"),
        ("seconds", "inf", "“inf” is no number for Length"),
        ("width", [1], "is no number for Width"),
        ("fps", True, "“True” is no number for Frame rate"),
        ("preset", {}, "is not a known preset"),
        ("camera", 7, "is not a known camera move"),
    ],
)
async def test_a_value_of_another_type_is_told_and_never_taken_for_none(
    open_studio: ServedStudio, field: str, value: Any, sentence: str
) -> None:
    client = await connect(open_studio)

    with pytest.raises(Exception, match=sentence) as caught:
        await predict(client, "t2v", **{"prompt": "a boat", **SMALL, field: value})

    code = getattr(caught.value, "title", "")
    assert code in {"not_a_number", "seed_not_a_number", "not_a_choice"}


@STANDING
async def test_numbers_as_text_are_numbers_and_any_prompt_is_text(
    open_studio: ServedStudio,
) -> None:
    client = await connect(open_studio)
    values = {"width": "256", "height": 256.0, "seconds": "1", "preset": "fast", "seed": 7}

    job = (await predict(client, "t2v", prompt=5, **values))["job"]
    request = (await open_studio.core.jobs.get(job)).request

    assert (request.prompt, request.sampling.seed, request.sampling.width) == ("5", 7, 256)


@STANDING
async def test_files_are_never_fetched_from_an_address(open_studio: ServedStudio) -> None:
    client = await connect(open_studio)
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readline()).decode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        for host in ("127.0.0.1", "example.org"):
            image = handle_file(f"http://{host}:{port}/a.png")
            with pytest.raises(Exception, match="not fetched from addresses") as caught:
                await predict(client, "i2v", image=image, **SMALL)
            assert getattr(caught.value, "title", "") == "media_by_link"

    assert asked == []


async def call(studio: ServedStudio, name: str, data: list[Any]) -> str:
    """Call an endpoint by position, as a program without a client does."""
    async with httpx.AsyncClient(timeout=60, base_url=studio.url, headers=KEY) as http:
        posted = await http.post(f"/gradio_api/call/{name}", json={"data": data})
        event = posted.raise_for_status().json()["event_id"]
        return (await http.get(f"/gradio_api/call/{name}/{event}")).text


@STANDING
@pytest.mark.parametrize("values", [["a boat"], ["a boat", "fast", None, 1.0]])
async def test_values_that_are_left_out_at_the_end_are_as_if_not_chosen(
    open_studio: ServedStudio, values: list[Any]
) -> None:
    answer = await call(open_studio, "t2v", values)

    assert "event: complete" in answer, answer


@STANDING
@pytest.mark.parametrize(
    ("endpoint", "code"),
    [("t2v", "prompt_missing"), ("i2v", "media_missing"), ("status", "field_missing")],
)
async def test_a_needed_value_that_is_left_out_is_told(
    open_studio: ServedStudio, endpoint: str, code: str
) -> None:
    answer = await call(open_studio, endpoint, [])

    assert "event: error" in answer
    assert code in answer


@STANDING
@pytest.mark.parametrize(
    ("way", "body"),
    [("call/nothing", {"data": []}), ("run/nothing", {"data": []}), ("call/v2/nothing", {})],
)
async def test_an_endpoint_that_is_none_is_told_with_those_there_are(
    passer_by: httpx.AsyncClient, way: str, body: dict[str, Any]
) -> None:
    answer = await passer_by.post(f"/gradio_api/{way}", json=body)

    assert answer.status_code == 404
    assert answer.json()["error"] == "not_a_choice"
    assert "lipsync" in answer.json()["detail"]


@STANDING
async def test_a_name_that_is_no_parameter_is_told_and_one_that_is_missing_too(
    passer_by: httpx.AsyncClient,
) -> None:
    unknown = await passer_by.post("/gradio_api/call/v2/t2v", json={"prompt": "x", "promt": "x"})
    missing = await passer_by.post("/gradio_api/call/v2/t2v", json={"preset": "fast"})

    assert [one.status_code for one in (unknown, missing)] == [422, 422]
    assert unknown.json()["error"] == "field_unknown"
    assert "promt" in unknown.json()["detail"]
    assert missing.json()["error"] == "prompt_missing"


@STANDING
@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        ({"fn_index": 0}, 404, "not_a_choice"),  # a function of the page
        ({"fn_index": 9999}, 404, "not_a_choice"),
        ({"fn_index": -1}, 404, "not_a_choice"),
        ({"fn_index": 10**30}, 404, "not_a_choice"),
        ({"fn_index": True}, 404, "not_a_choice"),
        ({"fn_index": "t2v"}, 404, "not_a_choice"),
        ({"fn_index": None}, 404, "not_a_choice"),
        ({"session_hash": ""}, 422, "field_mistyped"),
        ({"session_hash": 5}, 422, "field_mistyped"),
        ({"session_hash": "a" * 1000}, 422, "field_mistyped"),
        ({"session_hash": "../secret"}, 422, "field_mistyped"),
    ],
)
async def test_a_call_of_what_is_no_endpoint_is_refused_and_no_crash(
    open_studio: ServedStudio,
    capfd: pytest.CaptureFixture[str],
    call: dict[str, Any],
    status: int,
    code: str,
) -> None:
    async with httpx.AsyncClient(timeout=60, base_url=open_studio.url, headers=KEY) as http:
        body = {"data": ["x"], "session_hash": "abc", "fn_index": await number_of(http, "status")}
        answer = await http.post("/gradio_api/queue/join", json=body | call)

    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert "Traceback" not in capfd.readouterr().err


@STANDING
@pytest.mark.parametrize(
    "address", ["queue/data?session_hash=nobody", "call/status/nothing", "call/v2/status/nothing"]
)
async def test_a_stream_of_no_call_is_refused_in_words_and_breaks_nothing(
    open_studio: ServedStudio, capfd: pytest.CaptureFixture[str], address: str
) -> None:
    async with httpx.AsyncClient(timeout=60, base_url=open_studio.url, headers=KEY) as http:
        answer = await http.get(f"/gradio_api/{address}")

    assert (answer.status_code, answer.json()["error"]) == (404, "call_unknown")
    assert "Traceback" not in capfd.readouterr().err


@STANDING
async def test_the_answer_to_a_call_is_read_once_and_asking_again_is_told(
    open_studio: ServedStudio,
) -> None:
    async with httpx.AsyncClient(timeout=60, base_url=open_studio.url, headers=KEY) as http:
        made = await http.post("/gradio_api/call/status", json={"data": ["nothing"]})
        address = f"/gradio_api/call/status/{made.json()['event_id']}"
        first, second = await http.get(address), await http.get(address)

    assert "job_unknown" in first.text
    assert second.json()["error"] == "call_unknown"


async def number_of(http: httpx.AsyncClient, endpoint: str) -> int:
    functions = (await http.get("/config")).json()["dependencies"]
    return next(one["id"] for one in functions if one["api_name"] == endpoint)


@STANDING
async def test_an_address_calls_what_it_names_whatever_number_is_sent(
    open_studio: ServedStudio,
) -> None:
    async with httpx.AsyncClient(timeout=60, base_url=open_studio.url, headers=KEY) as http:
        number = await number_of(http, "t2v")
        call = {"data": ["x"], "fn_index": number, "batched": True, "trigger_id": 99, "event_id": 7}
        answer = await http.post("/gradio_api/run/status", json=call)

    assert answer.json()["title"] == "job_unknown"


@STANDING
@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "field_mistyped"),
        (5, "field_mistyped"),
        ({"__type__": "update", "value": "x"}, "field_mistyped"),
        ({"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, "field_mistyped"),
        ("\0", "job_unknown"),
    ],
)
async def test_a_job_is_named_by_a_text(
    open_studio: ServedStudio, capfd: pytest.CaptureFixture[str], value: Any, code: str
) -> None:
    async with httpx.AsyncClient(timeout=60, base_url=open_studio.url, headers=KEY) as http:
        answer = await http.post("/gradio_api/run/status", json={"data": [value]})

    assert answer.json()["title"] == code
    assert "Traceback" not in capfd.readouterr().err


@STANDING
async def test_a_file_in_the_place_of_a_word_is_no_way_to_any_path(
    open_studio: ServedStudio, capfd: pytest.CaptureFixture[str]
) -> None:
    there = {"path": "/etc/passwd\nforged", "meta": {"_type": "gradio.FileData"}}
    async with httpx.AsyncClient(timeout=60, base_url=open_studio.url, headers=KEY) as http:
        answer = await http.post("/gradio_api/run/t2v", json={"data": [there]})

    assert answer.json()["title"] == "media_gone"
    assert "forged" not in "".join(capfd.readouterr())
