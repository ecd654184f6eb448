"""Commands against a service that runs: each verb, who may, and what becomes of sockets."""

import asyncio
import json
import os
import signal
import socket
import stat
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.app.core import Core
from core.app.steering import steered_service
from core.cli.upgrade.checkout import ProgramCheckout
from core.control.address import control_folder, read_note
from core.control.client import running_service
from core.control.commands import GenerateClip, ListJobs, ReadStatus
from core.control.server import control_server
from core.demo.samples import write_png
from core.domain.jobs import JobState, ReplyTo
from core.domain.modes import Mode
from core.domain.people import Requester
from core.errors import KeyReused
from core.errors.setup import DataDirectoryBusy, DataDirectoryLink
from core.interfaces.delivery import Receipt
from core.settings import Settings
from core.testing.doubles import QuickExecutor, eventually, t2v
from core.testing.jobs import submit_request
from tests.integration.control.conftest import Run, Start
from tests.integration.control.conftest import serving as serving_core

ANN = Requester("test", "ann")
SMALL = ("--width", 256, "--height", 256, "--seconds", 1, "--preset", "fast", "--seed", 4)


async def waiting_job(core: Core, executor: QuickExecutor, key: str = "one") -> str:
    executor.gate.clear()
    ticket = await submit_request(core, t2v(), ANN, ReplyTo("test"), key)
    return ticket.job_id


async def test_a_program_is_not_changed_below_its_service(
    service: Core, settings: Settings, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = {"release": "v9.0.0", "commit_of": "9" * 40, "commit": "1" * 40}
    for name, found in newer.items():
        monkeypatch.setattr(ProgramCheckout, name, lambda *_, found=found: found)
    for name in ("fetch", "require_untouched"):
        monkeypatch.setattr(ProgramCheckout, name, lambda _: None)
    monkeypatch.setattr(ProgramCheckout, "go_to", lambda *_: pytest.fail("changed"))

    done = await run("update")

    assert done.status == 5, done.err
    assert str(settings.data_dir) in done.err


async def test_everything_of_somebody_is_deleted_by_an_operator_while_their_job_runs(
    service: Core, settings: Settings, executor: QuickExecutor, run: Run
) -> None:
    robot, words = Requester("studio", "token-robot"), "a narwhal reads the paper"
    request = replace(t2v(), prompt=words)
    code = await service.community.accounts.link_code(ANN)
    await service.community.accounts.link(robot, code)
    for number in range(2):
        await submit_request(service, request, ANN, ReplyTo("test"), f"key {number}")
        await eventually(lambda: _over(service, ANN))
    executor.gate.clear()
    await submit_request(service, request, robot, ReplyTo("test"), "live")
    theirs = await submit_request(service, t2v(), Requester("test", "ben"), ReplyTo("test"), "b")

    refused = await run("forget", ANN.key)
    unnamed = await run("forget", "nobody", "--yes")
    assert len(await service.jobs.jobs_of(ANN, 9)) == 2
    done = await run("forget", robot.key, "--yes")
    executor.gate.set()

    assert refused.status != 0  # nobody answers the question
    assert unnamed.status == 2
    assert done.status == 0, done.err
    assert ("3 jobs" in done.out, ANN.key in done.out, robot.key in done.out) == (True,) * 3
    assert [await service.jobs.jobs_of(one, 9) for one in (ANN, robot)] == [[], []]
    assert await service.community.accounts.keys(ANN) == [ANN]
    assert (await service.jobs.get(theirs.job_id)).id == theirs.job_id
    log = [(one.verb, one.target) for one in await service.local_operator(ANN).audit(9)]
    assert {("forget", ANN.key), ("forget", robot.key)} <= {*log}
    found = [path for path in settings.data_dir.rglob("*")
             if path.is_file() and words.encode() in path.read_bytes()]  # fmt: skip
    assert found == []


async def _over(service: Core, who: Requester) -> bool:
    return all(job.state.terminal for job in await service.jobs.jobs_of(who, 9))


async def test_jobs_are_listed_shown_and_cancelled_while_the_service_works(
    service: Core, executor: QuickExecutor, run: Run
) -> None:
    job_id = await waiting_job(service, executor)

    listed = await run("jobs")
    shown = await run("jobs", "show", job_id, "--json")
    stopped = await run("cancel", job_id)
    again = await run("jobs", "cancel", job_id)

    assert (listed.status, shown.status, stopped.status) == (0, 0, 0), listed.err
    assert job_id in listed.out
    assert "test:ann" in listed.out
    assert json.loads(shown.out)["job_id"] == job_id
    assert f"{job_id} is cancelled" in stopped.out
    assert again.status == 3
    assert "already" in again.err
    assert (await service.jobs.get(job_id)).state is JobState.CANCELLED
    entry = (await service.local_operator(ANN).audit(1))[0]
    assert (entry.actor, entry.verb, entry.target) == (f"local:{os.getuid()}", "cancel", job_id)


async def test_intake_quota_and_status_change_at_once(service: Core, run: Run) -> None:
    paused = await run("pause")
    assert await service.intake.intake() == "paused"
    status = await run("status", "--json")
    drained = await run("drain")
    assert await service.intake.intake() == "draining"
    resumed = await run("resume")
    granted = await run("quota", "grant", "test:ann", 3)
    shown = await run("quota", "show", "test:ann", "--json")

    assert [one.status for one in (paused, status, drained, resumed, granted, shown)] == [0] * 6
    facts = json.loads(status.out)
    assert (facts["serving"], facts["intake"], facts["pid"]) == (True, "paused", os.getpid())
    assert "clapper resume" in paused.out
    assert await service.intake.intake() == "open"
    assert json.loads(shown.out)["limit_ms"] == 1000 * 60_000 + 180_000


async def test_a_refusal_has_the_sentence_and_status_of_a_command_that_works_alone(
    service: Core, run: Run
) -> None:
    unknown = await run("jobs", "show", "0" * 32)
    nobody = await run("quota", "grant", "nobody", 5)

    assert (unknown.status, nobody.status) == (3, 2)
    assert "There is no job" in unknown.err
    assert "Traceback" not in unknown.err + nobody.err


async def test_dead_deliveries_are_listed_and_revived(
    service: Core, executor: QuickExecutor, run: Run
) -> None:
    ticket = await submit_request(service, t2v(), ANN, ReplyTo("test"), "one")
    await eventually(lambda: _succeeded(service, ticket.job_id))
    claim = await service.outbox.begin(ticket.job_id)
    await service.outbox.dead(claim, "gone")

    listed = await run("deliveries", "list")
    status = await run("status")
    revived = await run("deliveries", "revive", ticket.job_id)
    again = await run("deliveries", "revive", "--all")

    assert ticket.job_id in listed.out
    assert "given up: 1" in status.out
    assert "again: 1" in revived.out
    assert "again: 0" in again.out
    due = (await service.outbox.due("test"))[0]
    assert (due.job.id, due.attempt.number, due.attempt.ambiguous) == (ticket.job_id, 1, True)
    claim = await service.outbox.begin(ticket.job_id)
    assert claim
    assert await service.outbox.sent(claim, Receipt("m"))


async def _succeeded(core: Core, job_id: str) -> bool:
    return (await core.jobs.get(job_id)).state is JobState.SUCCEEDED


async def test_invariants_are_checked_by_the_service_itself(service: Core, run: Run) -> None:
    found = await run("invariants")

    assert found.status == 0, found.err
    assert "agrees with itself" in found.out


async def test_a_clip_is_made_by_the_service_and_put_where_the_command_says(
    service: Core, run: Run, tmp_path: Path
) -> None:
    image = write_png(tmp_path / "image.png")

    made = await run("generate", "i2v", "--image", image, "-p", "fog", *SMALL, "-o", "fog.mp4")
    listed = await run("jobs")

    assert made.status == 0, made.err
    assert "seed 4" in made.out
    assert "fog.mp4" in made.out
    assert (tmp_path / "here" / "fog.mp4").stat().st_size > 0
    assert (tmp_path / "here" / "fog.png").read_bytes().startswith(b"\x89PNG")
    assert f"cli:{os.getuid()}" in listed.out
    assert "fog" not in listed.out


async def test_a_clip_as_json_is_what_a_command_alone_prints(
    service: Core, run: Run, tmp_path: Path
) -> None:
    made = await run("generate", "t2v", "-p", "fog", *SMALL, "-o", "fog.mp4", "--json")
    taken = await run("generate", "t2v", "-p", "fog", *SMALL, "-o", tmp_path / "image.txt")

    job = json.loads(made.out)
    assert (job["state"], job["seed"], job["width"]) == ("succeeded", 4, 256)
    assert job["file"] == str(tmp_path / "here" / "fog.mp4")
    assert taken.status == 2


async def test_a_bad_file_and_a_closed_intake_are_refused_with_their_status(
    service: Core, run: Run, tmp_path: Path
) -> None:
    text = tmp_path / "image.png"
    text.write_text("no picture")

    bad = await run("generate", "i2v", "--image", text, *SMALL, "-o", "x.mp4")
    await service.intake.set_intake("paused")
    closed = await run("generate", "t2v", "-p", "fog", *SMALL, "-o", "x.mp4")

    assert (bad.status, closed.status) == (2, 3), bad.err + closed.err
    assert not (tmp_path / "here" / "x.mp4").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_to_end_cancels_the_job_in_the_service_and_refunds_it(
    service: Core, executor: QuickExecutor, start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    executor.gate.clear()
    program = await start("generate", "t2v", "-p", "fog", *SMALL, "-o", "fog.mp4")
    await program.line("ready in about")
    await executor.started.wait()

    program.process.send_signal(number)
    ended = await program.end()

    assert ended.status == 130
    assert "cancelled and refunded" in ended.err
    assert "Traceback" not in ended.err
    job = (await service.jobs.jobs_of(Requester("cli", str(os.getuid()))))[0]
    assert job.state is JobState.CANCELLED
    assert not (tmp_path / "here" / "fog.mp4").exists()


async def test_a_clip_arrives_although_the_command_was_killed(
    service: Core, executor: QuickExecutor, start: Start, tmp_path: Path
) -> None:
    executor.gate.clear()
    program = await start("generate", "t2v", "-p", "fog", *SMALL, "-o", "fog.mp4")
    await program.line("ready in about")
    program.process.kill()
    await program.end()

    executor.gate.set()

    async def arrived() -> bool:
        return (tmp_path / "here" / "fog.png").exists()

    await eventually(arrived)
    assert (tmp_path / "here" / "fog.mp4").exists()


async def test_the_log_is_shown_and_followed(service: Core, start: Start) -> None:
    import structlog

    from core.app.logs import set_up_logging

    set_up_logging("info", secrets=["a-secret-of-mine"])
    structlog.get_logger("test").info("first", token="a-secret-of-mine")

    program = await start("logs", "--follow")
    shown = await program.line("first")
    structlog.get_logger("test").info("second", text="\x1b[31mred")
    followed = await program.line("second")
    program.process.send_signal(signal.SIGINT)
    ended = await program.end()

    assert "a-secret-of-mine" not in shown
    assert "\x1b" not in followed
    assert "Traceback" not in ended.err


async def test_where_no_service_runs_commands_open_the_database_and_say_so(run: Run) -> None:
    paused = await run("pause")
    status = await run("status")
    jobs = await run("jobs")
    logs = await run("logs")

    assert (paused.status, status.status, jobs.status, logs.status) == (0, 0, 0, 5), paused.err
    assert "No service runs" in status.out
    assert "paused" in status.out
    assert "clapper serve" in logs.err


async def test_the_socket_is_for_this_account_alone_and_goes_with_the_service(
    settings: Settings, service: Core
) -> None:
    folder = control_folder(settings.data_dir)
    note = read_note(folder)

    assert note is not None
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(os.lstat(note.path).st_mode) == 0o600
    assert stat.S_IMODE((folder / "address.json").stat().st_mode) == 0o600
    assert Path(note.path).parent == folder


async def test_a_socket_of_a_killed_service_is_replaced_and_one_that_answers_never(
    service: Core, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(DataDirectoryBusy):
        async with control_server(steered_service(service, serving=True)):
            pass
    assert (control_folder(settings.data_dir) / "socket").exists()
    left = tmp_path / "other" / "control"
    left.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left / "socket"))
    other = replace(steered_service(service, serving=True), data_dir=tmp_path / "other")

    async with control_server(other), running_service(tmp_path / "other") as client:
        assert client is not None
        assert [item.running async for item in client.ask(ReadStatus())] == [0]
    assert list(left.iterdir()) == []


@pytest.mark.parametrize("unix", [True, False])
async def test_a_deep_data_directory_and_a_system_without_sockets_work_too(
    service: Core, tmp_path: Path, unix: bool
) -> None:
    deep = tmp_path / ("d" * 90) / "data"
    deep.mkdir(parents=True)
    other = replace(steered_service(service, serving=True), data_dir=deep)

    async with control_server(other, unix=unix) as address, running_service(deep) as client:
        assert client is not None
        found = [item async for item in client.ask(ListJobs("test:ann"))]
        assert found == []
        if unix:
            folder = Path(address.path).parent
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert len(address.path) < 104
    if unix:
        assert not folder.exists()


async def test_where_the_folder_can_hold_no_socket_it_is_elsewhere(
    service: Core, tmp_path: Path
) -> None:
    folder = tmp_path / "other" / "control"
    folder.mkdir(parents=True)
    (folder / "socket").write_text("in the way")
    other = replace(steered_service(service, serving=True), data_dir=tmp_path / "other")

    async with control_server(other) as address, running_service(tmp_path / "other") as client:
        assert client is not None
        assert not address.path.startswith(str(tmp_path))
        assert [item.waiting async for item in client.ask(ReadStatus())] == [0]
    assert (folder / "socket").read_text() == "in the way"


async def test_without_the_secret_of_this_start_a_port_answers_nothing(
    service: Core, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = replace(steered_service(service, serving=True), data_dir=tmp_path / "other")
    async with control_server(other, unix=False) as address:
        for token in ("", "x" * 43):
            line = json.dumps({"v": 1, "verb": "status", "args": {}, "token": token})
            assert (await told("", address.port, line.encode() + b"\n"))["code"] == "operators_only"


@pytest.mark.parametrize(
    "note",
    ["", "{", "[]", "[" * 100_000, '{"path":"","port":0,"token":""}',
     '{"path":"","port":99999999,"token":""}', '{"path":"","port":-1,"token":""}',
     '{"path":"a\\u0000b","port":0,"token":""}', '{"path":null,"port":1e400,"token":""}'],
    ids=range(9),
)  # fmt: skip
async def test_a_note_that_names_no_place_is_none(tmp_path: Path, note: str) -> None:
    folder = control_folder(tmp_path)
    folder.mkdir()
    (folder / "address.json").write_text(note)

    async with running_service(tmp_path) as client:
        assert client is None


async def test_a_service_without_its_socket_is_not_taken_for_none(
    service: Core, settings: Settings, run: Run
) -> None:
    (control_folder(settings.data_dir) / "socket").unlink()

    ended = [await run(*typed) for typed in (["status"], ["logs"], ["jobs"],
             ["generate", "t2v", "-p", "x", "-o", "x.mp4", *SMALL])]  # fmt: skip

    assert [one.status for one in ended] == [5] * 4
    assert all("takes no commands" in one.err for one in ended), [one.err for one in ended]


@pytest.mark.parametrize("serving", [True, False])
async def test_what_is_typed_too_long_is_told_the_same_with_and_without_a_service(
    settings: Settings, executor: QuickExecutor, run: Run, serving: bool
) -> None:
    async with AsyncExitStack() as stack:
        if serving:
            await stack.enter_async_context(serving_core(settings, executor))
        for typed in (["jobs", "show", "a" * 100], ["quota", "show", "discord:" + "9" * 400]):
            ended = await run(*typed)
            assert (ended.status, "too long" in ended.err) == (2, True), ended.err
        ended = await run("generate", "t2v", "-p", "ü" * 60_000, "-o", "x.mp4")
        assert (ended.status, "at most" in ended.err) == (2, True), ended.err


async def told(path: str, port: int, data: bytes) -> dict[str, object]:
    """The error that raw bytes are answered with."""
    if path:
        reader, writer = await asyncio.open_unix_connection(path)
    else:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = await reader.readline()
    writer.close()
    return json.loads(answer)["error"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\n", "control_broken"),
        (b"GET / HTTP/1.1\r\n\r\n", "control_broken"),
        (b"[1]\n", "control_broken"),
        (b"[" * 100_000 + b"\n", "control_broken"),
        (b"x" * 2_000_000, "control_broken"),
        (b"\xff\xfe\n", "control_broken"),
        (b"{}\n", "control_version"),
        (b'{"v":2,"verb":"status"}\n', "control_version"),
        (b'{"v":1}\n', "not_a_choice"),
        (b'{"v":1,"verb":["x"]}\n', "not_a_choice"),
        (b'{"v":1,"verb":"shutdown"}\n', "not_a_choice"),
        (b'{"v":1,"verb":"status","args":{"more":1}}\n', "control_broken"),
        (b'{"v":1,"verb":"status","args":[]}\n', "control_broken"),
        (b'{"v":1,"verb":"grant","args":{"requester":"a:b","minutes":NaN}}\n', "control_broken"),
        (b'{"v":1,"verb":"grant","args":{"requester":"a:b","minutes":-5}}\n', "control_broken"),
        (b'{"v":1,"verb":"intake","args":{"state":"disk"}}\n', "control_broken"),
        (b'{"v":1,"verb":"jobs","args":{"requester":"a:b","limit":100000}}\n', "control_broken"),
        (
            b'{"v":1,"verb":"generate","args":{"mode":"t2v","key":"0123456789abcdef","out":"x.mp4",'
            b'"options":{},"files":{}}}\n',
            "prompt_missing",
        ),
        (
            b'{"v":1,"verb":"generate","args":{"mode":"t2v","key":"0123456789abcdef","out":"x.mp4",'
            b'"options":{"prompt":"x"},"files":{}}}\n',
            "control_broken",
        ),
        (
            b'{"v":1,"verb":"generate","args":{"mode":"t2v","key":"0123456789abcdef","out":"/x.mp4",'
            b'"options":{"seconds":"x"},"files":{}}}\n',
            "control_broken",
        ),
        (
            b'{"v":1,"verb":"generate","args":{"mode":"i2v","key":"0123456789abcdef","out":"/x.mp4",'
            b'"options":{},"files":{"image":"/dev/zero"}}}\n',
            "media_unreadable",
        ),
    ],
    ids=range(21),
)
async def test_whatever_comes_over_the_socket_is_refused_with_a_code(
    service: Core, settings: Settings, data: bytes, code: str
) -> None:
    note = read_note(control_folder(settings.data_dir))
    assert note is not None

    assert (await told(note.path, 0, data))["code"] == code
    async with running_service(settings.data_dir) as client:
        assert client is not None
        assert [item.serving async for item in client.ask(ReadStatus())] == [True]


async def test_more_connections_than_may_be_are_told_so(service: Core, settings: Settings) -> None:
    note = read_note(control_folder(settings.data_dir))
    assert note is not None
    held = [await asyncio.open_unix_connection(note.path) for _ in range(32)]

    refused = await told(note.path, 0, b"")
    for _, writer in held:
        writer.close()

    assert refused["code"] == "control_busy"


async def test_a_link_in_the_place_of_the_folder_is_refused(service: Core, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data2").mkdir()
    (tmp_path / "data2" / "control").symlink_to(tmp_path / "elsewhere")
    other = replace(steered_service(service, serving=True), data_dir=tmp_path / "data2")

    with pytest.raises(DataDirectoryLink):
        async with control_server(other):
            pass
    assert list((tmp_path / "elsewhere").iterdir()) == []


async def test_a_command_that_is_sent_again_is_one_job_whatever_refuses_by_now(
    service: Core, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, out = write_png(tmp_path / "a.png"), tmp_path / "kite.mp4"
    command = GenerateClip(
        mode=Mode.I2V,
        key="0123456789abcdef",
        out=str(out),
        options={"prompt": "fog", "preset": "fast", "width": 256, "height": 256, "seconds": 1},
        files={"image": str(picture)},
    )

    async def send(one: GenerateClip) -> list[Any]:
        async with running_service(settings.data_dir) as client:
            assert client is not None
            return [item async for item in client.ask(one, answer_s=None)]

    first = await send(command)
    await service.intake.set_intake("paused")
    monkeypatch.setattr(service.admission, "has_room", lambda *_: False)
    again = await send(command)
    with pytest.raises(KeyReused):
        await send(replace(command, out=str(tmp_path / "other.mp4")))
    write_png(picture, shade=7)
    with pytest.raises(KeyReused):
        await send(command)
    picture.unlink()
    without = await send(command)

    assert {events[0].job_id for events in (first, again, without)} == {first[0].job_id}
    assert again[0].seed == first[0].seed
    assert [events[-1].file for events in (first, again, without)] == 3 * [str(out)]
