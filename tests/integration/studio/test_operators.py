"""The operators' page: its verbs for whom the settings name, nothing for everybody else."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from core.domain.jobs import JobState, ReplyTo
from core.domain.people import Requester
from core.settings import Settings
from core.testing.doubles import QuickExecutor, eventually, t2v
from core.testing.jobs import submit_request
from tests.support.jobs import until_ended
from webui.auth.user_file import User, add
from webui.studio.operator_actions import ACTIONS
from webui.studio.operators import LOOK
from webui.testing.server import ServedStudio, served

PAGE = "/studio/operators"
VERBS = (*ACTIONS, LOOK)
ANN = Requester("test", "ann")


@pytest.fixture
def studio_settings(settings_with: Callable[..., Settings], tmp_path: Path) -> Settings:
    book = tmp_path / "users"
    add(book, User.of("ada", "correct horse"))
    add(book, User.of("bob", "battery staple"))
    return settings_with(studio_port=0, studio_users=book, operators="studio:user-ada")


@asynccontextmanager
async def signed_in(
    studio: ServedStudio, name: str, password: str
) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        timeout=60, base_url=studio.url, headers={"X-Clapper": "1"}
    ) as client:
        answer = await client.post("/login", data={"username": name, "password": password})
        assert answer.json() == {"success": True}
        yield client


@pytest.fixture
async def ada(studio: ServedStudio) -> AsyncGenerator[httpx.AsyncClient]:
    async with signed_in(studio, "ada", "correct horse") as client:
        yield client


@pytest.fixture
async def bob(studio: ServedStudio) -> AsyncGenerator[httpx.AsyncClient]:
    async with signed_in(studio, "bob", "battery staple") as client:
        yield client


async def told(client: httpx.AsyncClient, verb: str, **body: object) -> dict[str, Any]:
    answer = await client.post(f"{PAGE}/{verb}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_operator_sees_the_queue_without_prompts_and_steers_it(
    studio: ServedStudio, ada: httpx.AsyncClient, executor: QuickExecutor
) -> None:
    executor.gate.clear()
    core = studio.core
    first = (await submit_request(core, t2v(), ANN, ReplyTo("test"), "one")).job_id
    await executor.started.wait()

    view = (await ada.get(PAGE)).json()
    paused = await told(ada, "pause")
    drained = await told(ada, "drain")
    resumed = await told(ada, "resume")
    granted = await told(ada, "grant", who="test:ann", minutes=2)
    await told(ada, "block", who="test:ann", reason="noise")
    blocked = await core.local_operator(ANN).unblock(ANN)
    await told(ada, "block", who="test:ann")
    await told(ada, "unblock", who="test:ann")
    cancelled = await told(ada, "cancel", job=first)

    (job,) = view["jobs"]
    assert (job["id"], job["who"], job["mode"]) == (first, "test:ann", "t2v")
    assert t2v().prompt not in str(view)
    assert {check["name"] for check in view["checks"]} >= {"database", "worker", "disk"}
    assert [item["intake"] for item in (paused, drained, resumed)] == ["paused", "draining", "open"]
    assert "test:ann" in granted["told"]
    assert blocked == [ANN]
    assert cancelled["jobs"] == []
    assert (await core.jobs.get(first)).state is JobState.CANCELLED
    entries = await core.local_operator(ANN).audit(20)
    assert {item.verb for item in entries if item.actor == "studio:user-ada"} == {
        *("intake", "grant", "block", "unblock", "cancel")
    }


async def test_dead_deliveries_are_shown_and_revived(
    studio: ServedStudio, ada: httpx.AsyncClient
) -> None:
    core = studio.core
    ticket = await submit_request(core, t2v(), ANN, ReplyTo("test"), "one")
    await core.cancellation.cancel(ticket.job_id, ANN)
    claim = await core.outbox.begin(ticket.job_id)
    await core.outbox.dead(claim, "gone")

    view = (await ada.get(PAGE)).json()
    after = await told(ada, "revive")

    assert [item["job"] for item in view["dead"]] == [ticket.job_id]
    assert after["dead"] == []
    assert len(await core.outbox.due("test")) == 1


async def test_a_prompt_is_shown_on_demand_and_the_look_is_written_down(
    studio: ServedStudio, ada: httpx.AsyncClient, executor: QuickExecutor
) -> None:
    executor.gate.clear()
    job = (await submit_request(studio.core, t2v(), ANN, ReplyTo("test"), "one")).job_id

    before = (await ada.get(PAGE)).json()
    looked = await told(ada, "look", job=job)
    executor.gate.set()

    assert t2v().prompt not in str(before)
    assert looked["prompts"] == {job: t2v().prompt}
    (entry,) = await studio.core.local_operator(ANN).audit(5)
    assert (entry.actor, entry.verb, entry.target) == ("studio:user-ada", "look", job)


async def test_one_press_that_comes_twice_is_done_once(
    studio: ServedStudio, ada: httpx.AsyncClient
) -> None:
    before = await studio.core.local_operator(ANN).quota(ANN)
    presses = [
        told(ada, "grant", who="test:ann", minutes=2, key=key * 32) for key in ("a", "a", "b")
    ]
    answers = await asyncio.gather(*presses)
    after = await studio.core.local_operator(ANN).quota(ANN)

    assert after.left_ms - before.left_ms == 4 * 60_000
    assert len({answer["told"] for answer in answers}) == 1
    bad = await ada.post(f"{PAGE}/pause", json={"key": "again"})
    assert bad.status_code == 400


async def test_tokens_of_programs_are_issued_shown_once_and_revoked(
    studio: ServedStudio, ada: httpx.AsyncClient
) -> None:
    made = await told(
        ada, "issue_token", name="bot", scopes=["read"], minutes="30", days="7", key="c" * 32
    )
    again = await told(
        ada, "issue_token", name="bot", scopes=["read"], minutes="30", days="7", key="c" * 32
    )
    token = made["issued"]["token"]
    async with httpx.AsyncClient(base_url=studio.url, timeout=60) as program:
        program.headers["Authorization"] = f"Bearer {token}"
        read = await program.get("/api/v1/jobs")
        asked = await program.post("/api/v1/jobs", json={"mode": "t2v", "prompt": "a boat"})
        (row,) = made["tokens"]
        revoked = await told(ada, "revoke_token", token=row["prefix"])
        after = await program.get("/api/v1/jobs")

    assert again["issued"] is None
    assert len(again["tokens"]) == 1
    assert (row["name"], row["scopes"], row["minutes"], row["works"]) == ("bot", "read", 30, True)
    assert token not in str(again)
    assert (read.status_code, asked.status_code, after.status_code) == (200, 403, 401)
    assert [one["works"] for one in revoked["tokens"]] == [False]
    entries = await studio.core.local_operator(ANN).audit(5)
    assert {entry.verb for entry in entries} == {"issue_token", "revoke_token"}


async def test_runs_health_and_log_are_those_of_the_service(
    studio: ServedStudio, ada: httpx.AsyncClient
) -> None:
    job = (await submit_request(studio.core, t2v(), ANN, ReplyTo("test"), "one")).job_id
    await until_ended(studio.core, job)

    async def recorded() -> bool:
        return bool((await ada.get(PAGE)).json()["runs"])

    await eventually(recorded)
    structlog.get_logger("test").info("a_line_of_the_log")
    view = (await ada.get(PAGE)).json()
    ready = await studio.core.readiness.read()

    (run,) = view["runs"]
    assert run["took_s"] > 0
    assert run["expected_s"] > 0
    assert "1 run:" in view["runs_line"]
    assert [(check["name"], check["ok"]) for check in view["checks"]] == [
        (check.name, check.ok) for check in ready.checks
    ]
    assert {"waiting", "running"} <= {
        fact for check in view["checks"] if check["name"] == "queue" for fact in check["facts"]
    }
    assert isinstance((await ada.get(f"{PAGE}/logs")).json()["lines"], list)


@pytest.mark.parametrize(
    ("verb", "body", "code"),
    [
        ("cancel", {"job": "0" * 32}, "job_unknown"),
        ("grant", {"who": "nobody", "minutes": 1}, "not_a_choice"),
        ("grant", {"who": "test:ann", "minutes": "many"}, "not_a_number"),
        ("grant", {"who": "test:ann", "minutes": 1e9}, "out_of_range"),
        ("block", {"who": ""}, "not_a_choice"),
        ("revive", {"job": "0" * 32}, "job_unknown"),
        ("shutdown", {}, "not_a_choice"),
        ("look", {"job": "0" * 32}, "job_unknown"),
        ("quota", {"who": ":"}, "not_a_choice"),
        ("issue_token", {"name": "Not a name"}, "token_name_unfit"),
        ("issue_token", {"name": "bot", "scopes": ["everything"]}, "not_a_choice"),
        ("issue_token", {"name": "bot", "minutes": -1}, "out_of_range"),
        ("issue_token", {"name": "bot", "days": "soon"}, "not_a_number"),
        ("revoke_token", {"token": "clapper_00000000"}, "token_unknown"),
    ],
)
async def test_what_cannot_be_done_is_told(
    ada: httpx.AsyncClient, verb: str, body: dict[str, object], code: str
) -> None:
    answer = await ada.post(f"{PAGE}/{verb}", json=body)

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == code


async def test_who_is_no_operator_gets_nothing_by_any_address(
    studio: ServedStudio, ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    """Not even that there is something: the answer is that of an address that does not exist."""
    assert (await ada.get("/studio/state")).json()["operator"] is True
    assert (await bob.get("/studio/state")).json()["operator"] is False
    nothing = await bob.get("/studio/nothing")
    found = [await bob.get(PAGE), await bob.head(PAGE), await bob.get(f"{PAGE}/logs")]
    for verb in VERBS:
        body = {"who": "test:ann", "minutes": 1, "job": "0" * 32}
        found.append(await bob.post(f"{PAGE}/{verb}", json=body))

    assert {(answer.status_code, answer.content) for answer in found} == {
        (nothing.status_code, nothing.content)
    }
    async with httpx.AsyncClient(
        timeout=60, base_url=studio.url, headers={"X-Clapper": "1"}
    ) as nobody:
        assert (await nobody.get(PAGE)).status_code == 401
        assert (await nobody.get(f"{PAGE}/logs")).status_code == 401
        assert {(await nobody.post(f"{PAGE}/{verb}", json={})).status_code for verb in VERBS} == {
            401
        }
    assert await studio.core.intake.intake() == "open"
    assert await studio.core.local_operator(ANN).audit(5) == []


async def test_a_queue_of_hundreds_is_listed_as_far_as_it_is_asked_for(
    studio: ServedStudio, ada: httpx.AsyncClient, executor: QuickExecutor
) -> None:
    executor.gate.clear()
    for number in range(104):
        who = Requester("test", f"person{number}")
        await submit_request(studio.core, t2v(), who, ReplyTo("test"), f"key {number}")

    first = (await ada.get(PAGE)).json()
    whole = (await ada.get(f"{PAGE}?jobs=300")).json()
    last = whole["jobs"][-1]["id"]
    stopped = (await ada.post(f"{PAGE}/cancel?jobs=300", json={"job": last})).json()
    odd = [(await ada.get(f"{PAGE}?jobs={jobs}")).json() for jobs in ("-1", "x", "9" * 40, "²")]

    unlisted = 104 - len(first["jobs"])
    assert 0 < unlisted <= 4
    assert str(unlisted) in first["more"]
    assert (len(whole["jobs"]), whole["more"]) == (104, "")
    assert last not in [job["id"] for job in first["jobs"]]
    assert (len(stopped["jobs"]), stopped["more"]) == (103, "")
    assert len(odd[0]["jobs"]) == len(odd[1]["jobs"]) == len(odd[3]["jobs"]) == len(first["jobs"])
    assert len(odd[2]["jobs"]) == 103
    executor.gate.set()


async def test_no_event_of_gradio_carries_a_verb(bob: httpx.AsyncClient) -> None:
    config = (await bob.get("/config")).json()

    names = {str(item.get("api_name")) for item in config["dependencies"]}
    verbs = {*VERBS} - {"cancel"}  # which everybody may say of their own job
    assert not {name for name in names if "operator" in name or name in verbs}
    assert "studio:user-" not in str(config)


async def test_another_site_and_a_form_without_our_header_are_refused(
    studio: ServedStudio, ada: httpx.AsyncClient
) -> None:
    foreign = await ada.post(f"{PAGE}/pause", json={}, headers={"Origin": "https://evil.example"})
    del ada.headers["X-Clapper"]
    plain = await ada.post(f"{PAGE}/pause", json={})

    assert (foreign.status_code, plain.status_code) == (403, 403)
    assert await studio.core.intake.intake() == "open"


async def test_a_guest_is_no_operator_whatever_the_settings_name(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    import hashlib

    key = "a-key-of-my-own-that-is-long"
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    settings = settings_with(studio_port=0, operators=f"studio:guest-{name},studio:guests")
    async with served(settings, executor) as studio:
        headers = {"X-Clapper": "1", "X-Clapper-Key": key}
        async with httpx.AsyncClient(timeout=60, base_url=studio.url, headers=headers) as guest:
            assert (await guest.get("/studio/state")).json()["operator"] is False
            assert (await guest.get(PAGE)).status_code == 404
            assert (await guest.post(f"{PAGE}/pause", json={})).status_code == 404
        assert await studio.core.intake.intake() == "open"


async def test_the_health_address_answers_while_the_database_is_held(
    studio: ServedStudio, ada: httpx.AsyncClient
) -> None:
    import sqlite3
    from contextlib import closing

    from core.settings import DATABASE_NAME

    assert (await ada.get("/healthz")).json()["ok"] is True
    path = studio.core.settings.data_dir / DATABASE_NAME
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = await ada.get("/healthz", timeout=5)
        other.rollback()

    assert answer.status_code == 503
    assert answer.json() == {"ok": False, "intake": "unknown", "waiting": None}


async def test_styles_are_kept_shown_and_removed_and_everybody_may_choose_them(
    studio: ServedStudio, ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    toml = '[style.noir]\nbefore = "black and white {rain|fog}"\npreset = "fast"\n'
    assert (await bob.get("/studio/styles")).json() == {"choices": []}

    kept = await told(ada, "keep_styles", styles=toml)
    broken = await ada.post(f"{PAGE}/keep_styles", json={"styles": "[style.a]\nzoom = 3"})
    large = await ada.post(f"{PAGE}/keep_styles", json={"styles": "#" * 70_000})
    choices = (await bob.get("/studio/styles")).json()["choices"]
    form = {
        "key": "1" * 32,
        "values": {"prompt": "a boat", "style": "noir", "width": 256, "height": 256, "seconds": 1},
    }
    made = (await bob.post("/studio/forms/t2v/generate", json=form)).json()["job"]
    facts = (await bob.get(f"/studio/state?job={made}")).json()["job"]["facts"]
    shown = await told(ada, "show_styles")
    removed = await told(ada, "remove_style", style="noir")

    assert kept["styles"] == ["noir"]
    assert (broken.status_code, large.status_code) == (409, 409)
    assert broken.json()["error"]["code"] == "style_refused"
    assert [value for _, value in choices] == ["", "noir", "none"]
    assert "black and white" in choices[1][0]
    assert "style noir" in facts
    assert shown["toml"].startswith("[style.")
    assert (removed["styles"], removed["toml"]) == ([], "")
    assert (await bob.get("/studio/styles")).json() == {"choices": []}
    assert {"import_styles", "remove_style"} <= {
        entry["text"].split(" · ")[1] for entry in removed["audit"]
    }
