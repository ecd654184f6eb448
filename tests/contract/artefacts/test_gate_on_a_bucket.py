"""The gate of a front whose clips and inputs are in a bucket: the machine holds no key of it."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from core.app.bootstrap import open_core
from core.app.front_gate import front_gate
from core.app.gate_worker import open_gate_worker
from core.demo.samples import write_png
from core.domain.jobs import ReplyTo
from core.domain.media import MediaKind
from core.domain.modes import Mode
from core.domain.people import Requester
from core.domain.requests import Request
from core.gate.nodes import GateNodes
from core.settings import Settings
from core.testing.doubles import QuickExecutor, tiny
from core.testing.jobs import submit_request
from tests.conftest import settings_in
from tests.support.jobs import until_ended
from tests.support.s3_server import S3Server
from tests.support.settings import changed

ANN = Requester("test", "ann")


@pytest.mark.parametrize("public", [True, False])
async def test_inputs_come_from_the_bucket_and_clips_go_into_it(
    settings: Settings,
    s3: S3Server,
    tmp_path: Path,
    executor: QuickExecutor,
    monkeypatch: pytest.MonkeyPatch,
    public: bool,
) -> None:
    prefix = f"gate-{uuid4().hex[:8]}"
    on_bucket = changed(settings, gate_port=0, s3_public=public, **s3.settings(prefix))
    asked: list[str | None] = []
    async with open_core(on_bucket, QuickExecutor()) as core, front_gate(core) as port:
        core.submission.close(closed=False)
        url = core.artefacts.url

        async def noted(name: str, seconds: int, save_as: str = "") -> str | None:
            asked.append(await url(name, seconds, save_as))
            return asked[-1]

        monkeypatch.setattr(core.artefacts, "url", noted)
        picture = write_png(tmp_path / "a.png")
        file = await core.admission.admit(picture, "image", MediaKind.IMAGE, ANN)
        request = Request(mode=Mode.I2V, prompt="it moves", sampling=tiny(), files=(file,))
        rented = changed(
            settings_in(tmp_path / "rented"),
            gate_url=f"http://127.0.0.1:{port}",
            gate_token=await GateNodes(core.database).admit("rented"),
        )
        stop = asyncio.Event()
        async with open_gate_worker(rented, executor) as (worker, driver), asyncio.timeout(60):
            work = asyncio.create_task(driver.run(worker, stop))
            ticket = await submit_request(core, request, ANN, ReplyTo("test"), "one")
            job = await until_ended(core, ticket.job_id)
            stop.set()
            await work

    assert job.clip is not None
    names = s3.names(prefix)
    assert {f"clips/{job.clip.path.name}", f"clips/{job.clip.poster.name}"} <= names
    brought = rented.media_folder / file.name
    assert brought.read_bytes() == (settings.media_folder / file.name).read_bytes()
    [address] = asked
    if public:
        assert urlsplit(address).path.endswith(f"{prefix}/media/{file.name}")
    else:
        assert address is None
