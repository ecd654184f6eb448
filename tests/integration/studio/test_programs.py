"""Programs with a token: the plain HTTP interface, by real HTTP against the real server."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from core.accounts.program_tokens import TokenOrder, TokenScope
from core.demo.samples import write_png, write_video, write_wav
from core.domain.modes import MODES
from core.domain.options import OPTIONS, options_in
from core.domain.people import Requester
from core.settings import Settings
from core.testing.doubles import QuickExecutor, eventually
from webui.api.v1.operations import OPERATIONS
from webui.testing.server import ServedStudio, served

SMALL = {"preset": "fast", "width": 256, "height": 256, "seconds": 1.0}
BOAT = {"mode": "t2v", "prompt": "a boat", **SMALL}
STANDING = pytest.mark.asyncio(loop_scope="module")
OPERATOR = Requester("cli", "tester")
API = "/api/v1"
# where a limit has an end, and where a key is known
MAYBE = {"Retry-After", "Idempotency-Replayed"}

Issue = Callable[..., Awaitable[httpx.AsyncClient]]


async def is_described(answer: httpx.Response) -> None:
    """Hold every answer of this module against the rows from which the description is made."""
    path, method = answer.request.url.path.removeprefix(API), answer.request.method
    if method == "HEAD" or path == "/openapi.json":
        return
    asked = [one for one in OPERATIONS if re.fullmatch(re.sub(r"{\w+}", "[^/]+", one.path), path)]
    rows = [one for one in asked if one.method == method]
    if not rows:
        assert answer.status_code in {403, 404, 405}, answer.text
        return
    row = rows[0]
    told = row.responses.get(str(answer.status_code))
    assert told, f"{method} {row.path} answers {answer.status_code}, and no document says so"
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if kind == "multipart/byteranges":  # each of its parts says what it is
        return
    assert kind in told.get("content", {"": {}})
    wanted = {*told.get("headers", {})} - MAYBE
    assert not [name for name in wanted if name not in answer.headers]


@asynccontextmanager
async def programs(studio: ServedStudio) -> AsyncGenerator[Issue]:
    """Give programs of the Studio: clients, each with a new token."""
    clients: list[httpx.AsyncClient] = []

    async def issue(name: str = "robot", **order: Any) -> httpx.AsyncClient:
        made = await studio.core.community.tokens.issue(OPERATOR, TokenOrder(name, **order))
        headers = {"Authorization": f"Bearer {made.token}"}
        base = f"{studio.url}{API}"
        seen = {"response": [is_described]}
        client = httpx.AsyncClient(timeout=60, base_url=base, headers=headers, event_hooks=seen)  # type: ignore[arg-type]
        clients.append(client)
        return clients[-1]

    try:
        yield issue
    finally:
        for client in clients:
            await client.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def issue(open_studio: ServedStudio) -> AsyncGenerator[Issue]:
    async with programs(open_studio) as made:
        yield made


async def over(client: httpx.AsyncClient, job: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = job

    async def ended() -> bool:
        nonlocal found
        found = (await client.get(f"/jobs/{job['id']}")).raise_for_status().json()
        return not found["live"]

    await eventually(ended, 30)
    return found


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    body = answer.json()
    assert answer.status_code == status == body["status"], answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["type"] == f"urn:clapper:problem:{body['code']}"
    assert body["detail"]
    return body


@STANDING
async def test_a_program_asks_waits_and_fetches(issue: Issue) -> None:
    robot = await issue()

    taken = await robot.post("/jobs", json={**BOAT, "seed": "9007199254740993"})
    job = await over(robot, taken.json())
    clip = await robot.get(job["clip"]["url"])
    part = await robot.get(job["clip"]["url"], headers={"Range": "bytes=4-7"})
    tag = clip.headers["etag"]
    resumed = await robot.get(
        job["clip"]["url"], headers={"Range": "bytes=4-7", "If-Range": '"another"'}
    )
    known = [
        await robot.get(job["clip"]["url"], headers={"If-None-Match": sent})
        for sent in (tag, f'"another", W/{tag}', "*", '"another"')
    ]

    assert taken.status_code == 201
    assert taken.headers["location"] == job["url"] == f"{robot.base_url}jobs/{job['id']}"
    assert "RateLimit" in taken.headers
    assert (job["state"], job["mode"], job["error"]) == ("succeeded", "t2v", None)
    assert job["seed"] == 9007199254740993
    assert job["options"]["prompt"] == "a boat"
    assert job["price"]["charged"] >= 0
    assert "again" in job["actions"]
    for name in ("created_at", "started_at", "finished_at"):
        assert datetime.fromisoformat(job[name]).utcoffset() is not None
    assert (len(clip.content), clip.headers["content-type"]) == (job["clip"]["bytes"], "video/mp4")
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert (resumed.status_code, resumed.content) == (200, clip.content)
    assert [(one.status_code, len(one.content)) for one in known] == [
        *(3 * [(304, 0)]),
        (200, len(clip.content)),
    ]
    assert (await robot.get(job["clip"]["poster_url"])).headers["content-type"] == "image/png"


@STANDING
@pytest.mark.parametrize("mode", MODES)
async def test_every_mode_takes_files_by_id_and_in_a_form(
    issue: Issue, tmp_path: Path, mode: str
) -> None:
    made = {
        "image": write_png(tmp_path / "a.png"),
        "audio": write_wav(tmp_path / "a.wav"),
        "video": write_video(tmp_path / "a.mp4", frames=30),
    }
    contents = {slot.role: made[slot.kind].read_bytes() for slot in MODES[mode].slots}  # type: ignore[index]
    robot = await issue()
    ids: dict[str, str] = {}
    for role, content in contents.items():
        sent = await robot.post("/files", content=content)
        assert sent.status_code == 201, sent.text
        ids[role] = sent.json()["id"]
    values = {"mode": mode, "prompt": "a boat", "preset": "fast"}

    by_id = await robot.post("/jobs", json={**values, **ids})
    in_form = await robot.post(
        "/jobs",
        files={name: (None, value) for name, value in values.items()}  # type: ignore[arg-type]
        | {role: (f"../{role}", content) for role, content in contents.items()},
    )

    assert (by_id.status_code, in_form.status_code) == (201, 201), by_id.text + in_form.text
    assert by_id.json()["mode"] == in_form.json()["mode"] == mode
    for answer in (by_id, in_form):
        await robot.delete(f"/jobs/{answer.json()['id']}")


@STANDING
async def test_the_same_key_gives_the_same_job_and_with_another_request_none(
    issue: Issue,
) -> None:
    robot, other = await issue(), await issue("other")
    key = {"Idempotency-Key": '"first"'}

    first = await robot.post("/jobs", json=BOAT, headers=key)
    again = await robot.post("/jobs", json=BOAT, headers={"Idempotency-Key": "first"})
    different = await robot.post("/jobs", json={**BOAT, "prompt": "a kite"}, headers=key)
    of_other = await other.post("/jobs", json=BOAT, headers=key)
    unfit = await robot.post("/jobs", json=BOAT, headers={"Idempotency-Key": "x" * 201})

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"] != of_other.json()["id"]
    assert again.headers["idempotency-replayed"] == "true"
    assert problem(different, 422)["code"] == "key_reused"
    assert problem(unfit, 422)["data"] == {"header": "Idempotency-Key"}
    acted = [
        await robot.post(
            f"/jobs/{(await over(robot, first.json()))['id']}/actions/again", headers=k
        )
        for k in ({"Idempotency-Key": "second"}, {"Idempotency-Key": "second"}, key)
    ]
    assert [one.status_code for one in acted] == [201, 200, 422]
    assert acted[0].json()["id"] == acted[1].json()["id"]


async def test_a_known_key_is_answered_before_any_refusal(
    studio: ServedStudio, executor: QuickExecutor
) -> None:
    async with programs(studio) as issue:
        robot = await issue(limit_ms=None)
        key = {"Idempotency-Key": "k"}
        executor.gate.clear()
        first = await robot.post("/jobs", json=BOAT, headers=key)
        await studio.core.intake.set_intake("paused")

        again = await robot.post("/jobs", json=BOAT, headers=key)
        new = await robot.post("/jobs", json=BOAT)

        assert again.json()["id"] == first.json()["id"]
        assert problem(new, 503)["code"] == "intake_closed"
        assert int(new.headers["retry-after"]) > 0
        executor.gate.set()


async def test_a_known_key_is_answered_on_a_full_disk_also_with_files_in_the_request(
    studio: ServedStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, other = (write_png(tmp_path / f"{n}.png", shade=n).read_bytes() for n in (90, 91))

    def form(image: bytes) -> dict[str, Any]:
        return {"mode": (None, "i2v"), "prompt": (None, "a boat"), "image": ("a.png", image)}

    async with programs(studio) as issue:
        robot, key = await issue(limit_ms=None), {"Idempotency-Key": "k"}
        first = await robot.post("/jobs", files=form(picture), headers=key)
        monkeypatch.setattr(studio.core.admission, "has_room", lambda *_: False)
        kept = list(studio.core.settings.uploads_folder.rglob("*"))

        again = await robot.post("/jobs", files=form(picture), headers=key)
        different = await robot.post("/jobs", files=form(other), headers=key)
        new = await robot.post("/jobs", files=form(picture))

    assert (first.status_code, again.status_code) == (201, 200), first.text + again.text
    assert again.json()["id"] == first.json()["id"]
    assert problem(different, 422)["code"] == "key_reused"
    assert problem(new, 503)["code"] == "intake_closed"
    assert list(studio.core.settings.uploads_folder.rglob("*")) == kept


@STANDING
@pytest.mark.parametrize(
    ("sent", "code", "data"),
    [
        ({"mode": "t2v"}, "prompt_missing", {"mode": "t2v"}),
        ({"prompt": "x"}, "field_missing", {"field": "mode"}),
        ({"mode": "movie"}, "not_a_choice", {"field": "mode"}),
        ({"mode": ["t2v"]}, "not_a_choice", {"field": "mode"}),
        ({**BOAT, "promt": "x"}, "option_misspelt", {"value": "promt", "nearest": "prompt"}),
        ({**BOAT, "workflow": {"1": {}}}, "field_unknown", {"field": "workflow"}),
        ({**BOAT, "image": "0" * 32}, "media_unexpected", {"role": "image"}),
        ({**BOAT, "seconds": "5"}, "field_mistyped", {"field": "seconds", "expected": "number"}),
        ({**BOAT, "seconds": True}, "field_mistyped", {"field": "seconds"}),
        ({**BOAT, "width": 256.5}, "field_mistyped", {"field": "width"}),
        ({**BOAT, "prompt": None}, "field_mistyped", {"field": "prompt"}),
        ({**BOAT, "preset": "best"}, "not_a_choice", {"field": "preset", "value": "best"}),
        ({**BOAT, "seed": -1}, "seed_not_a_number", {}),
        ({**BOAT, "seed": 1.5}, "field_mistyped", {"field": "seed"}),
        ({**BOAT, "seconds": 99}, "out_of_range", {"field": "seconds", "value": 99}),
        ({"mode": "i2v", "prompt": "x"}, "media_missing", {"role": "image"}),
        ({"mode": "i2v", "image": "/etc/passwd"}, "field_mistyped", {"field": "image"}),
        ({"mode": "i2v", "image": "0" * 32}, "media_gone", {"role": "image"}),
        ({**BOAT, "webhook": "ftp://a.example/"}, "webhook_refused", {"host": "a.example"}),
    ],
)
async def test_each_wrong_value_is_told_by_its_code_and_field(
    issue: Issue, sent: dict[str, Any], code: str, data: dict[str, Any]
) -> None:
    robot = await issue()

    told = problem(await robot.post("/jobs", json=sent), 422)

    assert told["code"] == code, told
    assert told["data"].items() >= data.items(), told


@STANDING
@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (b"", "application/json", "body_json"),
        (b"[]", "application/json", "body_json"),
        (b'{"mode": "t2v", "mode": "i2v"}', "application/json", "body_json"),
        (b'{"mode": "t2v", "seconds": NaN}', "application/json", "body_json"),
        (b'{"mode": "t2v", "prompt": "\\ud800"}', "application/json", "body_json"),
        (b"\xff\xfe", "application/json", "body_json"),
        (b"[" * 100_000, "application/json", "body_json"),
        (b" " * 300_000, "application/json", "body_size"),
        (b"x", "multipart/form-data; boundary=b", "body_form"),
        (b"x", "multipart/form-data", "body_form"),
        (b"mode=t2v", "application/x-www-form-urlencoded", "body_type"),
        (b"{}", "", "body_type"),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_problem_too(
    issue: Issue, content: bytes, kind: str, reason: str
) -> None:
    robot = await issue()

    answer = await robot.post("/jobs", content=content, headers={"content-type": kind})

    status = {"body_type": 415, "body_size": 413}.get(reason, 400)
    assert problem(answer, status)["data"] == {"reason": reason}


@STANDING
async def test_a_form_has_no_field_twice_and_no_more_files_than_any_mode(issue: Issue) -> None:
    robot = await issue()
    twice = [("mode", (None, "t2v")), ("prompt", (None, "a")), ("prompt", (None, "b"))]
    words = [("mode", (None, "t2v")), ("prompt", ("words.txt", b"a boat"))]
    many = [("mode", (None, "t2v")), *((f"f{n}", ("x", b"x")) for n in range(20))]

    answers = [await robot.post("/jobs", files=one) for one in (twice, many)]  # type: ignore[arg-type]

    assert [problem(one, 400)["code"] for one in answers] == ["body_unreadable"] * 2
    mistaken = await robot.post("/jobs", files=words)  # type: ignore[arg-type]
    assert problem(mistaken, 422)["data"] == {"field": "prompt", "expected": "string"}


@STANDING
@pytest.mark.parametrize("path", ["/jobs/%00", "/jobs/%0a", f"/jobs/{'a' * 3000}", "", "/", "/a"])
async def test_an_address_at_which_nothing_can_be_is_a_problem_too(issue: Issue, path: str) -> None:
    robot = await issue()

    assert problem(await robot.get(f"{robot.base_url}".rstrip("/") + path), 404)["code"] in {
        "address_unknown",
        "job_unknown",
    }


@STANDING
async def test_parts_of_a_clip_are_given_and_strange_wishes_are_none(issue: Issue) -> None:
    robot = await issue()
    job = await over(robot, (await robot.post("/jobs", json=BOAT)).json())
    clip = job["clip"]["url"]

    beyond = await robot.get(clip, headers={"Range": "bytes=999999999-"})
    assert problem(beyond, 416)["data"] == {"size": job["clip"]["bytes"]}
    assert beyond.headers["content-range"] == f"bytes */{job['clip']['bytes']}"
    for strange in ("bytes=a-b", "lines=1-2", "bytes=", "bytes=²-3", "bytes=5-2", "bytes=0-1,9-3"):
        answer = await robot.get(clip, headers={"Range": strange.encode()})  # type: ignore[dict-item]
        assert (answer.status_code, len(answer.content)) == (200, job["clip"]["bytes"])
    for some in ("bytes=-4, 0-1", "bytes=0-1, 999999999-"):
        assert (await robot.get(clip, headers={"Range": some})).status_code == 206
    for none in ("bytes=-0", "bytes=999999999-,888888888-"):
        assert problem(await robot.get(clip, headers={"Range": none}), 416)
    poster = await robot.get(job["clip"]["poster_url"], headers={"Range": "bytes=999999999-"})
    assert problem(poster, 416)["code"] == "range_beyond"
    for path in (f"/jobs/{job['id']}", "/jobs", "/quota", "/modes", f"/jobs/{job['id']}/clip"):
        head = await robot.head(path)
        assert (head.status_code, head.content) == (200, b"")


@STANDING
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/jobs?limit=0", "limit"),
        ("/jobs?limit=x", "limit"),
        ("/jobs?cursor=-1", "cursor"),
        ("/jobs?page=2", "page"),
        ("/jobs?state=done", "state"),
        ("/jobs?mode=movie", "mode"),
        ("/jobs?limit=1&limit=2", "limit"),
        ("/quota?x=1", "x"),
    ],
)
async def test_parameters_are_told_by_name(issue: Issue, path: str, field: str) -> None:
    robot = await issue()

    assert problem(await robot.get(path), 422)["data"]["field"] == field


@STANDING
async def test_a_method_that_an_address_does_not_have_is_told_with_those_that_it_has(
    issue: Issue,
) -> None:
    robot = await issue()
    described = (await robot.get("/openapi.json")).json()["paths"]

    for path, methods in described.items():
        address = path.format(job="0" * 32, action="again")
        for method in {"PUT", "OPTIONS", "GET", "POST", "DELETE"} - {m.upper() for m in methods}:
            refused = await robot.request(method, address)
            assert problem(refused, 405)
            allowed = {one.strip().lower() for one in refused.headers["allow"].split(",")}
            assert allowed - {"head"} == {*methods}, path


@STANDING
async def test_the_description_names_every_choice_and_has_every_schema(issue: Issue) -> None:
    robot = await issue()
    answer = await robot.get("/openapi.json")
    described = answer.json()

    refs = set(re.findall(r"#/components/schemas/(\w+)", answer.text))
    assert refs == {*described["components"]["schemas"]} - {"JobOrder"}
    choices = {
        one["name"]: one["schema"].get("enum", ())
        for methods in described["paths"].values()
        for operation in methods.values()
        for one in operation.get("parameters", ())
    }
    assert {"", "waiting", "running", "succeeded"} <= {*choices["state"]}
    assert {"again", "longer"} <= {*choices["action"]}
    assert {*choices["mode"]} == {"", *MODES}
    body = described["paths"]["/files"]["post"]["requestBody"]["content"]
    assert body["multipart/form-data"]["schema"]["required"] == ["file"]


ROUTES = [
    ("POST", "/jobs", TokenScope.SUBMIT),
    ("GET", "/jobs", TokenScope.READ),
    ("GET", "/jobs/{job}", TokenScope.READ),
    ("DELETE", "/jobs/{job}", TokenScope.CANCEL),
    ("DELETE", "/jobs/{job}?erase=true", TokenScope.DELETE),
    ("POST", "/jobs/{job}/actions/again", TokenScope.SUBMIT),
    ("GET", "/jobs/{job}/events", TokenScope.READ),
    ("GET", "/jobs/{job}/clip", TokenScope.READ),
    ("GET", "/jobs/{job}/poster", TokenScope.READ),
    ("POST", "/files", TokenScope.SUBMIT),
    ("GET", "/quota", TokenScope.READ),
]


@STANDING
async def test_a_stranger_finds_nothing_at_any_address_and_no_token_nothing_at_all(
    issue: Issue, open_studio: ServedStudio
) -> None:
    owner, stranger = await issue("owner"), await issue("stranger")
    taken = (await owner.post("/jobs", json=BOAT)).json()
    job = (await over(owner, taken))["id"]
    described = (await owner.get("/openapi.json")).json()["paths"]
    listed = {(m.upper(), path) for path, methods in described.items() for m in methods}
    known = {
        (method, path.partition("?")[0].replace("again", "{action}")) for method, path, _ in ROUTES
    }

    assert listed - known == {("GET", "/modes")}
    bad = [{}, {"Authorization": "Bearer " + "x" * 40}, {"X-Clapper-Key": "a-secret-of-a-program"}]
    async with httpx.AsyncClient(timeout=60, base_url=f"{open_studio.url}{API}") as nobody:
        for method, path, _ in ROUTES:
            address = path.format(job=job)
            for headers in bad:
                answer = await nobody.request(method, address, headers=headers)
                assert problem(answer, 401)["code"] == "token_needed"
                assert answer.headers["www-authenticate"].startswith("Bearer")
            if "{job}" in path:
                told = problem(await stranger.request(method, address), 404)
                none = problem(await stranger.request(method, path.format(job="0" * 32)), 404)
                assert told["code"] == none["code"] == "job_unknown"
                assert told["detail"].replace(job[:8], "") == none["detail"].replace("0" * 8, "")
    assert (await stranger.get("/jobs")).json() == {"jobs": [], "next": None}
    assert (await owner.get(f"/jobs/{job}")).json()["state"] == "succeeded"


@STANDING
async def test_a_file_of_another_program_is_no_file(issue: Issue, picture: Path) -> None:
    owner, stranger = await issue("owner"), await issue("stranger")
    content = await asyncio.to_thread(picture.read_bytes)
    file = (await owner.post("/files", files={"file": ("x.png", content)})).json()["id"]

    stolen = await stranger.post("/jobs", json={"mode": "i2v", "image": file, **SMALL})

    assert problem(stolen, 422)["code"] == "media_gone"


@STANDING
@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
async def test_each_address_needs_its_scope(
    issue: Issue, method: str, path: str, scope: TokenScope
) -> None:
    robot = await issue(scopes=frozenset(TokenScope) - {scope})

    answer = await robot.request(method, path.format(job="0" * 32))

    told = problem(answer, 403)
    assert (told["code"], told["data"]) == ("scope_missing", {"scope": scope})


@STANDING
async def test_a_token_that_is_revoked_or_over_works_no_more(
    issue: Issue, open_studio: ServedStudio
) -> None:
    tokens = open_studio.core.community.tokens
    ended = await issue("ended", days=-1.0)
    robot, second = await issue("rotated"), await issue("rotated")
    job = (await robot.post("/jobs", json=BOAT)).json()["id"]

    await tokens.revoke(OPERATOR, (await tokens.known())[1].prefix)

    assert problem(await ended.get("/quota"), 401)
    assert problem(await robot.get("/quota"), 401)
    assert (await second.get(f"/jobs/{job}")).status_code == 200
    log = await open_studio.core.community.audit.entries(5)
    assert {entry.verb for entry in log} == {"issue_token", "revoke_token"}
    assert all("Bearer" not in entry.detail and len(entry.detail) < 60 for entry in log)


async def test_a_token_has_a_quota_of_its_own_also_above_the_usual(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    settings = settings_with(studio_port=0, quota_minutes=0.001)
    async with served(settings, executor) as studio, programs(studio) as issue:
        rich = await issue("rich", limit_ms=3_600_000)
        poor, usual = await issue("poor", limit_ms=1), await issue("usual")

        taken = await rich.post("/jobs", json=BOAT)
        refused = [await one.post("/jobs", json=BOAT) for one in (poor, usual)]
        left = (await rich.get("/quota")).json()

    assert taken.status_code == 201
    assert [problem(one, 429)["code"] for one in refused] == ["quota_exceeded"] * 2
    assert left["limits"][0]["limit"] == 3600
    assert 3500 < left["left_gpu_seconds"] < 3600
    assert taken.headers["ratelimit-policy"].startswith('"own";q=3600')


async def test_a_refused_program_is_told_when_there_is_more(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    async with served(settings_with(studio_port=0), executor) as studio, programs(studio) as issue:
        probe = await issue("probe")
        cost = (await probe.post("/jobs", json=BOAT)).json()["price"]["expected"]
        robot = await issue("robot", limit_ms=round(cost * 1500))
        await over(robot, (await robot.post("/jobs", json=BOAT)).json())
        answers = [await robot.post("/jobs", json=BOAT) for _ in range(200)][-1:]

    told = problem(answers[0], 429)
    assert told["code"] in {"quota_exceeded", "share_too_costly"}
    assert 0 < int(answers[0].headers["retry-after"]) <= 24 * 3600
    assert '"own"' in answers[0].headers["ratelimit"]


async def test_a_live_job_is_stopped_and_one_that_is_over_is_deleted_by_an_explicit_word(
    studio: ServedStudio, executor: QuickExecutor
) -> None:
    async with programs(studio) as issue:
        robot = await issue()
        executor.gate.clear()
        job = (await robot.post("/jobs", json=BOAT)).json()
        await executor.started.wait()
        running = (await robot.get(f"/jobs/{job['id']}")).json()
        waiting = (await robot.post("/jobs", json=BOAT)).json()

        stopped = await robot.delete(f"/jobs/{waiting['id']}")
        twice = await robot.delete(f"/jobs/{waiting['id']}")
        erased = await robot.delete(f"/jobs/{waiting['id']}?erase=true")
        gone = await robot.get(f"/jobs/{waiting['id']}")

        assert (running["state"], running["position"]) == ("running", 0)
        assert running["expected_at"] > running["created_at"]
        assert (waiting["state"], waiting["position"]) == ("waiting", 1)
        assert (stopped.json()["state"], stopped.json()["error"]["code"]) == (
            "cancelled", "cancelled"
        )  # fmt: skip
        assert problem(twice, 409)["code"] == "already_finished"
        assert erased.status_code == 204
        assert problem(gone, 404)["code"] == "job_unknown"
        executor.gate.set()


@STANDING
async def test_a_list_goes_on_from_its_cursor_and_keeps_to_its_filters(issue: Issue) -> None:
    robot = await issue("lister")
    made = [(await robot.post("/jobs", json=BOAT)).json()["id"] for _ in range(5)]
    for job in made:
        await over(robot, {"id": job})

    seen: list[str] = []
    cursor = ""
    while True:
        page = (await robot.get("/jobs", params={"limit": 2, "cursor": cursor})).json()
        seen += [job["id"] for job in page["jobs"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    done = (await robot.get("/jobs?state=succeeded&mode=t2v")).json()["jobs"]
    none = (await robot.get("/jobs?mode=i2v")).json()["jobs"]

    assert seen == made[::-1]
    assert [job["id"] for job in done] == made[::-1]
    assert none == []


async def events_of(answer: httpx.Response) -> list[dict[str, str]]:
    found: list[dict[str, str]] = [{}]
    async for line in answer.aiter_lines():
        if not line:
            found.append({})
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            found[-1][name] = value
    return [event for event in found if "event" in event]


async def test_events_tell_every_change_and_end_with_the_job(
    studio: ServedStudio, executor: QuickExecutor
) -> None:
    async with programs(studio) as issue:
        robot = await issue()
        executor.gate.clear()
        job = (await robot.post("/jobs", json=BOAT)).json()["id"]
        await executor.started.wait()
        path = f"/jobs/{job}/events"

        async with robot.stream("GET", path) as answer:
            lines = answer.aiter_lines()
            first = [await anext(lines) for _ in range(5)]
        seen = next(line for line in first if line.startswith("id: "))[4:]
        following = asyncio.create_task(_follow(robot, path, seen))
        executor.gate.set()
        events = await following
        again = await robot.get(path, headers={"Last-Event-ID": events[-1]["id"]})
        late = await _follow(robot, path, "another")

    assert [event["event"] for event in events][-1:] == ["end"]
    assert [event["event"] for event in events].count("end") == 1
    assert seen not in [event["id"] for event in events]
    assert json.loads(events[-1]["data"])["clip"]["sound"] in {True, False}
    assert again.status_code == 204
    assert [event["event"] for event in late] == ["end"]


async def _follow(client: httpx.AsyncClient, path: str, seen: str) -> list[dict[str, str]]:
    async with client.stream("GET", path, headers={"Last-Event-ID": seen}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        return await events_of(answer)


async def test_a_stream_ends_when_its_token_does(
    studio: ServedStudio, executor: QuickExecutor
) -> None:
    async with programs(studio) as issue:
        robot = await issue()
        executor.gate.clear()
        job = (await robot.post("/jobs", json=BOAT)).json()["id"]
        await executor.started.wait()

        async with robot.stream("GET", f"/jobs/{job}/events") as answer:
            lines = answer.aiter_lines()
            while "event: job" not in await anext(lines):
                pass
            await studio.core.community.tokens.revoke(OPERATOR, "robot")
            rest = [line async for line in lines]

        assert "event: gone" in rest
        executor.gate.set()


@STANDING
async def test_errors_speak_the_language_that_is_asked_for(issue: Issue) -> None:
    robot = await issue()

    german = await robot.get("/jobs/x", headers={"Accept-Language": "fr, de-AT;q=0.8, en;q=0.1"})
    english = await robot.get("/jobs/x", headers={"Accept-Language": "xx"})

    assert problem(german, 404)["code"] == problem(english, 404)["code"]
    assert german.headers["content-language"] == "de"
    assert german.json()["detail"] != english.json()["detail"]


@STANDING
async def test_what_is_not_there_is_a_problem_and_no_page_of_gradio(
    issue: Issue, passer_by: httpx.AsyncClient
) -> None:
    robot = await issue()

    answers = [
        (await robot.get("/nothing"), 404),
        (await robot.get("/docs"), 404),
        (await robot.put("/jobs"), 405),
        (await robot.get("/jobs/"), 404),
        (await passer_by.get(f"{API}/"), 404),
    ]

    for answer, status in answers:
        assert problem(answer, status)["code"] == "address_unknown"


@STANDING
async def test_other_web_sites_and_names_are_refused_here_too(issue: Issue) -> None:
    robot = await issue()

    foreign = await robot.get("/quota", headers={"Origin": "https://evil.example"})
    preflight = await robot.options("/quota", headers={"Origin": "https://evil.example"})
    host = await robot.get("/quota", headers={"Host": "evil.example"})

    assert [problem(one, 403)["code"] for one in (foreign, preflight)] == ["foreign_page"] * 2
    assert problem(host, 421)["code"] == "unknown_host"
    for answer in (foreign, preflight, await robot.get("/quota")):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@STANDING
async def test_the_description_and_the_modes_have_every_row_of_the_tables(
    issue: Issue, passer_by: httpx.AsyncClient
) -> None:
    described = (await passer_by.get(f"{API}/openapi.json")).json()
    modes = (await passer_by.get(f"{API}/modes", headers={"Accept-Language": "de"})).json()["modes"]

    orders = {
        mode: described["components"]["schemas"][f"JobOrder_{mode}"]["properties"] for mode in MODES
    }
    for mode, listed in zip(MODES, modes, strict=True):
        names = {option.name for option in options_in(mode)}
        roles = {slot.role for slot in MODES[mode].every_slot}
        assert orders[mode].keys() == {*names, *roles, "mode", "webhook"}
        assert {option["name"] for option in listed["options"]} == names
        assert {file["role"] for file in listed["files"]} == roles
    submit = described["paths"]["/jobs"]["post"]
    assert len(submit["requestBody"]["content"]["application/json"]["schema"]["oneOf"]) == len(
        MODES
    )
    assert {sample["label"] for sample in submit["x-codeSamples"]} == {
        "curl", "Python", "JavaScript"
    }  # fmt: skip
    assert "HTTPBearer" in described["components"]["securitySchemes"]
    assert {option["kind"] for m in modes for option in m["options"]} == {
        option.kind for option in OPTIONS.values()
    }


async def test_a_closed_studio_lets_programs_in_and_nobody_else(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    closed = settings_with(
        studio_port=0,
        studio_hf_accounts="ada",
        studio_oauth_client_id="id",
        studio_oauth_client_secret="secret",
    )
    async with served(closed, executor) as studio, programs(studio) as issue:
        robot = await issue()
        taken = await robot.post("/jobs", json=BOAT)
        described = await robot.get("/openapi.json")
        async with httpx.AsyncClient(timeout=60, base_url=studio.url) as nobody:
            answers = [await nobody.get(f"{API}{path}") for path in ("/openapi.json", "/modes")]
            answers += [await nobody.get(f"{API}/jobs")]

    assert (taken.status_code, described.status_code) == (201, 200)
    assert [problem(one, 401)["code"] for one in answers] == ["token_needed"] * 3


@STANDING
async def test_what_stands_in_a_form_is_written_as_a_program_would_ask(
    passer_by: httpx.AsyncClient,
) -> None:
    values = {"prompt": "it's @home \u201cnow\u201d", "preset": "fast", "seconds": 2, "seed": "7"}
    answer = await passer_by.post("/studio/forms/i2v/samples", json={"values": values})
    wrong = await passer_by.post("/studio/forms/t2v/samples", json={"values": {"seconds": "x"}})
    foreign = await passer_by.post(
        "/studio/forms/t2v/samples", json={"values": {}}, headers={"Origin": "https://a.example"}
    )

    shell, python, script = (one["text"] for one in answer.json()["samples"])
    compile(python, "sample", "exec")
    assert "--form-string prompt='it'\"'\"'s @home \u201cnow\u201d'" in shell
    assert "-F image=@image" in shell
    assert 'fields["prompt"] = "it\'s @home \u201cnow\u201d"' in python
    assert 'body.append("image", await openAsBlob("image"), "image");' in script
    for text in (shell, python, script):
        assert f"{passer_by.base_url}/api/v1/jobs".replace("//api", "/api") in text
        assert "{{" not in text
    assert wrong.json()["error"]["code"] == "not_a_number"
    assert foreign.status_code == 403
