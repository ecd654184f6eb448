"""The real commands: a front with its gate, and a worker that has an address and a token alone."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.front_gate import front_gate
from core.domain.jobs import ReplyTo, Ticket
from core.domain.nodes import NodeRole
from core.domain.people import Requester
from core.gate.nodes import GateNodes
from core.storage import nodes as node_rows
from core.storage.addresses import postgres_address
from core.storage.postgres_migrations import grant_roles
from core.storage.roles import WORKER
from core.testing.doubles import QuickExecutor, RecordingDelivery, eventually, t2v
from core.testing.jobs import submit_request
from tests.conftest import settings_in
from tests.support.programs import MAIN
from tests.support.settings import changed

ROOT = Path(__file__).resolve().parents[3]
Start = Callable[..., subprocess.Popen[bytes]]


def environment(folder: Path, **more: str) -> dict[str, str]:
    ours = {"DATA_DIR": str(folder), "EXECUTOR": "draft", "ENV_FILE": os.devnull, **more}
    named = {f"CLAPPER_{name}": value for name, value in ours.items()}
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | named


def command(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MAIN, *words],
        cwd=ROOT,
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    processes: list[subprocess.Popen[bytes]] = []

    def started(name: str, **more: str) -> subprocess.Popen[bytes]:
        with (tmp_path / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*MAIN, "worker", "--no-supervise"],
                cwd=ROOT,
                env=environment(tmp_path / name, **more),
                stdout=log,
                stderr=log,
            )
        processes.append(process)
        return process

    yield started
    for process in processes:
        process.send_signal(signal.SIGKILL)
        process.wait()


async def test_an_address_and_a_token_are_enough(
    tmp_path: Path, start: Start, delivery: RecordingDelivery
) -> None:
    settings = changed(settings_in(tmp_path), gate_port=0)
    async with open_core(settings, QuickExecutor()) as core, front_gate(core) as port:
        core.submission.close(closed=False)
        token = await GateNodes(core.database).admit("rented")
        process = start("rented", GATE_URL=f"http://127.0.0.1:{port}", GATE_TOKEN=token)
        ticket = await submit_request(core, t2v(), Requester("test", "ann"), ReplyTo("test"), "one")

        async def made() -> bool:
            return (await core.jobs.get(ticket.job_id)).state.terminal

        await eventually(made, 90)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0

        job = await core.jobs.get(ticket.job_id)
        assert job.clip is not None, (tmp_path / "rented.log").read_text()
        log = (tmp_path / "rented.log").read_text()
        assert token not in log
        assert re.search("makes clips for", log)


def test_a_worker_behind_the_gate_refuses_keys_that_it_does_not_need(tmp_path: Path) -> None:
    gate = {"GATE_URL": "https://gate.example", "GATE_TOKEN": "clapper-node-" + "a" * 43}
    for name, value in (
        ("DATABASE_URL", "postgresql://clapper@db.example/clapper"),
        ("S3_SECRET_ACCESS_KEY", "secret-of-the-bucket"),
        ("DISCORD_TOKEN", "a-token-of-a-bot-that-is-long-enough"),
    ):
        refused = command(tmp_path, "worker", "--no-supervise", **gate, **{name: value})
        assert refused.returncode != 0
        assert f"CLAPPER_{name}" in refused.stderr
        assert value not in refused.stderr


def test_a_gate_in_plain_text_is_refused(tmp_path: Path) -> None:
    refused = command(tmp_path, "worker", GATE_URL="http://gate.example", GATE_TOKEN="x")

    assert refused.returncode != 0
    assert "https" in refused.stderr


async def test_a_token_that_was_revoked_ends_the_start_with_a_clear_sentence(
    tmp_path: Path,
) -> None:
    import asyncio

    settings = changed(settings_in(tmp_path), gate_port=0)
    async with open_core(settings, QuickExecutor()) as core, front_gate(core) as port:
        nodes = GateNodes(core.database)
        token = await nodes.admit("rented")
        await nodes.revoke("rented")
        gate = {"GATE_URL": f"http://127.0.0.1:{port}", "GATE_TOKEN": token}
        refused = await asyncio.to_thread(
            command, tmp_path / "rented", "worker", "--no-supervise", **gate
        )

    assert refused.returncode != 0
    assert "clapper nodes token" in refused.stderr
    assert token not in refused.stderr + refused.stdout


def test_tokens_are_given_and_taken_by_commands(tmp_path: Path) -> None:
    given = command(tmp_path, "nodes", "token", "rented")
    assert given.returncode == 0, given.stderr
    assert re.fullmatch(r"clapper-node-[A-Za-z0-9_-]{43}\n", given.stdout)
    assert command(tmp_path, "nodes", "revoke", "rented").returncode == 0
    again = command(tmp_path, "nodes", "revoke", "rented")
    assert again.returncode != 0
    assert "rented" in again.stderr
    assert command(tmp_path, "nodes", "token", "../x").returncode != 0


async def made_by(core: Core, name: str) -> Ticket:
    """Wait for the node called ``name``, submit a job, and wait for its end."""

    async def known() -> bool:
        async with core.database.snapshot() as connection:
            found = await node_rows.read_nodes(connection)
        return any(one.name == name and one.claims for one in found)

    await eventually(known, 90)
    await core.nodes.beat()
    ticket = await submit_request(core, t2v(), Requester("test", "ann"), ReplyTo("test"), "one")

    async def ended() -> bool:
        return (await core.jobs.get(ticket.job_id)).state.terminal

    await eventually(ended, 90)
    return ticket


@pytest.mark.postgres
async def test_a_rented_machine_is_a_node_among_the_others(
    tmp_path: Path, start: Start, postgres_server, delivery: RecordingDelivery
) -> None:
    postgres_server.empty()
    settings = changed(
        settings_in(tmp_path, database_url=postgres_server.url()),
        gate_port=0,
        artefacts_shared=True,
    )
    async with open_core(settings, role=NodeRole.FRONT) as core, front_gate(core) as port:
        core.submission.close(closed=False)
        token = await GateNodes(core.database).admit("rented")
        start("rented", GATE_URL=f"http://127.0.0.1:{port}", GATE_TOKEN=token)

        ticket = await made_by(core, "rented")
        assert (await core.jobs.get(ticket.job_id)).clip is not None


@pytest.mark.postgres
async def test_a_worker_makes_clips_with_the_rights_of_its_role(
    tmp_path: Path, start: Start, postgres_server, delivery: RecordingDelivery
) -> None:
    postgres_server.empty()
    url = postgres_server.url()
    grant_roles(postgres_address(url))
    with postgres_server.connect() as owner:
        owner.execute("DROP ROLE IF EXISTS gpu_9")
        owner.execute(f"CREATE ROLE gpu_9 LOGIN IN ROLE {WORKER}")
    settings = changed(settings_in(tmp_path, database_url=url), artefacts_shared=True)
    async with open_core(settings, role=NodeRole.FRONT) as core:
        core.submission.close(closed=False)
        process = start(
            "data",
            DATABASE_URL=url.replace("postgres@", "gpu_9@"),
            ARTEFACTS_SHARED="true",
            HEARTBEAT_S="0.4",
            NODE="own",
        )

        ticket = await made_by(core, "own")
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        log = (tmp_path / "data.log").read_text()
        assert (await core.jobs.get(ticket.job_id)).clip is not None, log
        assert code == 0, log
        assert "permission denied" not in log
