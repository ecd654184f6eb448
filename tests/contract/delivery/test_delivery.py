"""What every delivery promises, held by the two that ship with core."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from core.delivery.file_delivery import TerminalDelivery
from core.delivery.file_place import FilePlace
from core.domain.jobs import Failure, Job, JobState, ReplyTo
from core.domain.media import Clip
from core.domain.people import Requester
from core.domain.progress import Downloading, Stage, Waiting, Working
from core.interfaces.delivery import Delivery, DeliveryAttempt
from core.media.output.clip_writer import write_clip
from core.media.output.provenance import Provenance
from core.testing.doubles import RecordingDelivery, grey_clip, t2v

FIRST = DeliveryAttempt(1, ambiguous=False, nonce="n1")
REPEATED = DeliveryAttempt(2, ambiguous=True, nonce="n1")


@pytest.fixture
async def clip(tmp_path: Path) -> Clip:
    folder = tmp_path / "clips"
    folder.mkdir()
    request = t2v()
    provenance = Provenance.of("a" * 32, request, with_prompt=False)
    return await write_clip(grey_clip(request.sampling), folder, provenance)


@pytest.fixture(params=["recording", "terminal", "terminal_on_screen"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Delivery, ReplyTo]:
    if request.param == "recording":
        return RecordingDelivery(), ReplyTo("test")
    screen = request.param == "terminal_on_screen"
    console = Console(file=io.StringIO(), force_terminal=screen)
    place = FilePlace()
    return TerminalDelivery(console, place), place.reply_to(tmp_path / "out" / "clip.mp4")


@pytest.fixture
def job(case: tuple[Delivery, ReplyTo]) -> Job:
    return Job(
        id="a" * 32,
        requester=Requester("test", "ann"),
        asked=t2v(),
        reply_to=case[1],
        state=JobState.SUCCEEDED,
        estimate_ms=1000,
        attempt=1,
        token=None,
        created_at_ms=0,
    )


async def test_a_repeated_delivery_gives_the_same_receipt_and_one_result(
    case: tuple[Delivery, ReplyTo], job: Job, clip: Clip
) -> None:
    delivery, _ = case

    first = await delivery.completed(job, clip, FIRST)
    again = await delivery.completed(job, clip, REPEATED)

    assert first == again


async def test_a_failure_is_told(case: tuple[Delivery, ReplyTo], job: Job) -> None:
    receipt = await case[0].failed(job, Failure("disk_full"), FIRST)

    assert receipt.sent_id


async def test_progress_of_every_kind_is_taken(case: tuple[Delivery, ReplyTo], job: Job) -> None:
    for event in (Waiting(3, 40.0), Downloading("m", 1, 2), Working(Stage.STAGE1, 1, 8, 0.2)):
        await case[0].progress(job, event)
    await case[0].failed(job, Failure("internal_error"), FIRST)


@pytest.fixture
def terminal() -> Callable[[io.StringIO], TerminalDelivery]:
    return lambda out: TerminalDelivery(Console(file=out, width=200), FilePlace())


async def test_the_terminal_copies_clip_and_poster_and_prints_where(
    terminal: Callable[[io.StringIO], TerminalDelivery], tmp_path: Path, job: Job, clip: Clip
) -> None:
    out, target = io.StringIO(), tmp_path / "made" / "kite.mp4"
    delivery = terminal(out)
    result = delivery.result(job.id)

    await delivery.completed(_to(job, target), clip, FIRST)

    assert target.read_bytes() == clip.path.read_bytes()
    assert target.with_suffix(".png").read_bytes() == clip.poster.read_bytes()
    assert str(target) in out.getvalue()
    assert result.result() == target


async def test_the_terminal_explains_a_failure_in_a_sentence(
    terminal: Callable[[io.StringIO], TerminalDelivery], job: Job
) -> None:
    out = io.StringIO()
    delivery = terminal(out)

    await delivery.failed(job, Failure("disk_full"), FIRST)

    assert "The disk is full" in out.getvalue()
    assert delivery.result(job.id).result() == Failure("disk_full")


async def test_a_folder_that_cannot_be_written_is_impossible_not_repeated(
    terminal: Callable[[io.StringIO], TerminalDelivery], tmp_path: Path, job: Job, clip: Clip
) -> None:
    from core.errors import DeliveryImpossible

    (tmp_path / "file").write_text("not a folder")
    delivery = terminal(io.StringIO())

    with pytest.raises(DeliveryImpossible):
        await delivery.completed(_to(job, tmp_path / "file" / "clip.mp4"), clip, FIRST)


def _to(job: Job, target: Path) -> Job:
    from dataclasses import replace

    return replace(job, reply_to=FilePlace().reply_to(target))
