"""The answer to a request before it is asked for: what submitting it would be answered."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from core.app.bootstrap import Core
from core.domain.limits import RequestLimits
from core.domain.media import MediaFile
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.quota import LimitBalance, QuotaView
from core.domain.requests import Request
from core.duration import BY_KEY, UNKNOWN, Machine, Tier, estimate
from core.errors import (
    MediaMissing,
    NothingFits,
    OutOfRange,
    QuotaExceeded,
    TooCostly,
    TooLargeForDevice,
)
from core.models.catalog import ModelFile, Profile, files_for
from core.service.preview import MISSING_FILES_MS, MemoryFit, Previewer, RequestPreview
from core.testing.doubles import ManualClock

PLENTY = QuotaView((LimitBalance("own", 10**9),))
EMPTY = QuotaView((LimitBalance("own", 10**9, 10**9, 0, 1_000),))
GUESTS = QuotaView((replace(PLENTY.account, name="guests"),))
LONG = Options("a kite", "quality", 1920, 1088, None, 20, 24, seed=1)
SHORT = Options("a kite", "fast", seconds=2, seed=1)
NO_FILES: dict[str, MediaFile] = {}
Make = Callable[..., Previewer]


@dataclass
class Disk:
    """Lacks every model file, and counts how often it was asked."""

    lacks: bool = True
    asked: int = 0

    def missing(self, files: Iterable[ModelFile]) -> tuple[ModelFile, ...]:
        self.asked += 1
        return tuple(files) if self.lacks else ()


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def make(core: Core, disk: Disk, clock: ManualClock) -> Make:
    def made(machine: Machine, tier: Tier | None = None, executor: str = "comfy") -> Previewer:
        core.runs.machine, core.runs.tier = machine, tier
        limits = RequestLimits()
        return Previewer(limits, core.runs, disk.missing, Profile.FP8, executor, clock)

    return made


async def look(
    previewer: Previewer, options: Options = SHORT, quota: QuotaView = PLENTY, mode: Mode = Mode.T2V
) -> RequestPreview:
    return await previewer.preview(mode, options, NO_FILES, quota)


def smaller_or_none(previewer: Previewer, request: Request) -> Request | None:
    try:
        return previewer.smaller(request)
    except NothingFits:
        return None


async def test_a_request_that_would_be_accepted_says_what_it_takes(make: Make) -> None:
    preview = await look(make(Machine(BY_KEY["h200"], "fp8")))

    assert preview.refusal is None
    assert preview.fitting is None
    assert preview.quota == PLENTY
    assert preview.composition is not None
    assert preview.composition.request.prompt == "a kite"
    assert preview.estimate is not None
    assert preview.estimate.gpu_ms > 0


async def test_what_was_adjusted_is_said(make: Make) -> None:
    odd = Options("a kite", "fast", 1000, 500, seconds=2, seed=1)

    preview = await look(make(Machine(BY_KEY["h200"], "fp8")), odd)

    assert preview.composition is not None
    assert preview.adjustments
    assert preview.adjustments == preview.composition.adjustments


@pytest.mark.parametrize(
    ("mode", "options", "kind"),
    [(Mode.T2V, replace(SHORT, seconds=500), OutOfRange), (Mode.I2V, SHORT, MediaMissing)],
)
async def test_what_is_no_request_is_refused_without_an_estimate(
    make: Make, mode: Mode, options: Options, kind: type[Exception]
) -> None:
    preview = await look(make(Machine(BY_KEY["h200"], "fp8")), options, mode=mode)

    assert isinstance(preview.refusal, kind)
    assert preview.refusal.__traceback__ is None
    assert (preview.composition, preview.estimate, preview.fitting) == (None, None, None)
    assert preview.adjustments == ()


@pytest.mark.parametrize(
    ("quota", "scope"),
    [
        (EMPTY, "own"),
        (QuotaView((replace(EMPTY.account, name="guests"),)), "guests"),
        (
            QuotaView((GUESTS.account, LimitBalance("network", 5, 5))),
            "network",
        ),
        (QuotaView((PLENTY.account, LimitBalance("place", 5, 4))), "place"),
    ],
)
async def test_an_empty_quota_refuses_and_nothing_smaller_fits(
    make: Make, quota: QuotaView, scope: str
) -> None:
    preview = await look(make(Machine(BY_KEY["h200"], "fp8")), quota=quota)

    assert isinstance(preview.refusal, QuotaExceeded)
    assert preview.refusal.scope == scope
    assert preview.estimate is not None  # it is still said what it would have taken
    assert preview.fitting is None


async def test_a_quota_that_is_too_small_names_the_largest_that_fits(make: Make) -> None:
    previewer = make(Machine(BY_KEY["h200"], "fp8"))
    whole = await look(previewer, LONG)
    assert whole.estimate is not None
    half = QuotaView((LimitBalance("own", whole.estimate.gpu_ms // 2),))

    preview = await look(previewer, LONG, half)

    assert isinstance(preview.refusal, QuotaExceeded)
    assert preview.fitting is not None
    sampling = preview.fitting.sampling
    fits = Options("a kite", sampling.preset, sampling.width, sampling.height, seed=1)
    seconds = (sampling.frames - 1) / sampling.fps
    again = await look(previewer, replace(fits, seconds=seconds, fps=sampling.fps), half)
    assert again.refusal is None


async def test_what_no_lender_gives_at_once_is_refused_however_much_is_left(make: Make) -> None:
    previewer = make(Machine(BY_KEY["rtx-pro-6000-half"], "fp8"), Tier.ANONYMOUS)

    preview = await look(previewer, LONG)

    assert isinstance(preview.refusal, TooCostly)
    assert preview.fitting is not None
    assert preview.fitting.sampling.frames < 20 * 24


async def test_a_loan_and_a_quota_bound_together_what_fits(make: Make) -> None:
    previewer = make(Machine(BY_KEY["rtx-pro-6000-half"], "fp8"), Tier.ANONYMOUS)

    preview = await look(previewer, LONG, EMPTY)

    assert isinstance(preview.refusal, TooCostly)
    assert preview.fitting is None


async def test_the_animatic_needs_no_model(make: Make, disk: Disk) -> None:
    preview = await look(make(Machine(UNKNOWN), executor="draft"))

    assert (preview.download_bytes, preview.memory) == (None, None)
    assert disk.asked == 0


async def test_missing_model_files_are_counted_and_believed_for_a_while(
    make: Make, disk: Disk, clock: ManualClock
) -> None:
    previewer = make(Machine(BY_KEY["h200"], "fp8"))
    everything = sum(file.size_bytes for file in files_for(Mode.T2V, Profile.FP8))

    first = await look(previewer)
    disk.lacks = False
    soon = await look(previewer)
    clock.forward(MISSING_FILES_MS / 1000 + 1)
    later = await look(previewer)

    assert (first.download_bytes, soon.download_bytes) == (everything, everything)
    assert later.download_bytes == 0
    assert disk.asked == 2


@pytest.mark.parametrize(
    ("key", "streams"), [("h200", False), ("3090", True), ("rtx-pro-6000", False)]
)
async def test_memory_says_whether_the_model_fits(make: Make, key: str, streams: bool) -> None:
    machine = Machine(BY_KEY[key], "bf16" if streams else "fp8")

    preview = await look(make(machine))

    assert preview.memory == MemoryFit(True, machine.hardware.memory, machine.streamed)
    assert (machine.streamed > 0) is streams


async def test_an_unknown_device_is_said_to_be_one(make: Make) -> None:
    preview = await look(make(Machine(UNKNOWN)))

    assert preview.memory is not None
    assert not preview.memory.known


async def test_smaller_is_at_most_half_of_the_work_and_ends_at_the_smallest(make: Make) -> None:
    machine = Machine(BY_KEY["h200"], "fp8")
    previewer = make(machine)
    preview = await look(previewer, LONG)
    assert preview.composition is not None
    request = preview.composition.request
    costs = [estimate(request, machine).gpu_ms]

    while (found := smaller_or_none(previewer, request)) is not None:
        request = found
        costs.append(estimate(request, machine).gpu_ms)

    assert len(costs) > 2
    assert all(small <= large / 2 for large, small in pairwise(costs))


async def test_what_has_no_room_in_the_device_is_refused_and_the_largest_that_has_is_shown(
    make: Make,
) -> None:
    small = Machine(replace(BY_KEY["3090"], memory=12 * 1024**3), "small")

    seen = await look(make(small), LONG)

    assert isinstance(seen.refusal, TooLargeForDevice)
    assert seen.fitting is not None
    shown = seen.fitting.sampling
    again = replace(LONG, width=shown.width, height=shown.height, seconds=seen.refusal.seconds)
    assert (await look(make(small), again)).refusal is None
