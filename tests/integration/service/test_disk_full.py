"""The output does not fit: the job ends cleanly, the database stays whole, the service goes on."""

import resource
import subprocess
from collections.abc import Awaitable, Callable, Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.app.bootstrap import open_core
from core.app.core import Core
from core.domain.jobs import ReplyTo, Ticket
from core.domain.media import RawClip
from core.domain.people import Requester
from core.domain.progress import ProgressSink
from core.errors import IntakeClosed
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.settings import Settings
from core.testing.doubles import QuickExecutor, RecordingDelivery, grey_clip, running, t2v, tiny
from core.testing.jobs import submit_request

Submit = Callable[..., Awaitable[Ticket]]
Check = Callable[[], Awaitable[None]]
SMALL = 2_000_000  # bytes that fit; the noisy clip below has about three times as many
LARGE = replace(t2v(), sampling=tiny(frames=17, side=512))


class NoiseExecutor(QuickExecutor):
    """Large requests get frames that no codec makes small."""

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        raw = await super().execute(order, on_progress, cancel)
        if order.request.sampling.width == LARGE.sampling.width:
            random = np.random.default_rng(1)
            noise = random.integers(0, 255, raw.frames.shape, np.uint8, endpoint=True)
            return replace(raw, frames=noise)
        return raw


@pytest.fixture
def executor() -> QuickExecutor:
    return NoiseExecutor()


@pytest.fixture
def small_clips_folder(settings: Settings) -> Generator[None]:
    """Make the clips folder a file system of 2 MB, where the test may mount one."""
    settings.clips_folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "none", str(settings.clips_folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs: run the tests as root")
    yield
    subprocess.run(["umount", str(settings.clips_folder)], check=True)


@pytest.fixture
def small_files() -> Generator[None]:
    """Let no file of this process grow beyond 2 MB; the database stays below."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(params=["small_clips_folder", "small_files"])
def small_disk(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(request.param)


@pytest.mark.sqlite  # a server that is started under the limit could not write either
async def test_a_full_disk_fails_the_job_refunds_it_and_the_service_goes_on(
    small_disk: None,  # first: the core is opened on it
    core: Core,
    delivery: RecordingDelivery,
    submit: Submit,
    ann: Requester,
    sound_ledger: Check,
) -> None:
    core.router.register(delivery)

    async with running(core):
        large = await submit("large", request=LARGE)
        await delivery.until(1)
        left = list(core.settings.clips_folder.glob("[!.]*"))
        small = await submit("small")
        await delivery.until(2)

    assert [message.kind for message in delivery.of(large.job_id)] == ["disk_full"]
    assert [message.kind for message in delivery.of(small.job_id)] == ["completed"]
    assert left == []
    assert (await core.quotas.quota(ann)).used_ms == 100
    await sound_ledger()


async def test_the_intake_is_closed_while_the_disk_is_nearly_full(
    settings_with: Callable[..., Settings], ann: Requester, tmp_path: Path
) -> None:
    settings = settings_with(min_free_megabytes=10**9)
    async with open_core(settings, QuickExecutor()) as core:
        with pytest.raises(IntakeClosed) as refused:
            await submit_request(core, t2v(), ann, ReplyTo("test"), "one")

        assert refused.value.reason == "disk"
        assert (await core.quotas.quota(ann)).reserved_ms == 0


def test_the_noisy_clip_is_larger_than_the_limit() -> None:
    assert grey_clip(LARGE.sampling).frames.nbytes > 2 * SMALL
