"""``clapper estimate`` and ``calibrate``: what clips cost on a device, and how that is learnt."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from core.app.executor_choice import launching
from core.cli.table_parameters import help_modes, option_parameters, takes
from core.cli.terminal import err, out, print_json
from core.domain.dimensions import snap_count
from core.domain.limits import RequestLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS, Options
from core.domain.request_builder import compose
from core.domain.requests import Request
from core.domain.sizing import typed_seconds
from core.duration import (
    DRAFT,
    HARDWARE,
    Estimate,
    Machine,
    Part,
    Residency,
    Tier,
    estimate,
    hardware_for,
    largest_fitting,
    lease,
    setting_to_type,
)
from core.duration.zerogpu import median_budget_ms
from core.i18n.messages import name, say
from core.models.catalog import Profile
from core.service.estimator import RunBook, last_place
from core.settings import Settings, load_settings
from core.storage.runs import has_runs

if TYPE_CHECKING:
    from core.storage.database import Database

APP = typer.Typer()
_HELP_HARDWARE = say(
    "help_estimate_hardware", {"devices": ", ".join(card.key for card in HARDWARE if card.known)}
)
_HELP_PROFILE = say("help_estimate_profile", {"profiles": ", ".join(Profile)})
SHOWN = (
    Part.TEXT,
    Part.STAGE1,
    Part.UPSCALE,
    Part.STAGE2,
    Part.DECODE,
    Part.AUDIO_DECODE,
    Part.VIDEO_ENCODE,
    Part.LOAD,
)


def sample_request(mode: Mode, options: Options, limits: RequestLimits) -> Request:
    """Make the request that ``options`` describe, with stand-ins where files would be."""
    seconds = options.seconds or limits.default_seconds
    suffixes = {MediaKind.IMAGE: ".png", MediaKind.AUDIO: ".flac", MediaKind.VIDEO: ".mp4"}
    media = {
        slot.role: MediaFile(
            "0" * 64,
            suffixes[slot.kind],
            slot.kind,
            1,
            seconds=0.0 if slot.kind is MediaKind.IMAGE else seconds,
        )
        for slot in MODES[mode].slots
    }
    return compose(mode, options, media, limits).request


def as_json(answer: Estimate, machine: Machine, tier: Tier = Tier.PRO) -> dict[str, Any]:
    """Return ``answer`` as plain data; encoding the input files counts to the first stage."""
    stages: dict[str, dict[str, float]] = {}
    for part in SHOWN:
        parts = {part, Part.PREPARE} if part is Part.STAGE1 else {part}
        found = [item for item in answer.stages if item.part in parts]
        stages[part.value] = {
            "seconds": round(sum(item.seconds for item in found), 4),
            "flops": sum(item.flops for item in found),
            "bytes": sum(item.bytes for item in found),
        }
    return {
        "stages": stages,
        "total_s": answer.total_ms / 1000,
        "p95_s": round(machine.p95(answer.total_ms) / 1000, 3),
        "quota_ms": answer.gpu_ms,
        "zerogpu_s": lease(answer, machine, tier).declared_s,
    }


@asynccontextmanager
async def recorded(settings: Settings) -> AsyncGenerator["Database | None", None]:
    """Yield the database beside a service that may be running; None where there is none yet.

    Raises:
        DatabaseForeign: it is another program's.
        StorageUnavailable: it cannot be read.
    """
    from core.storage.claim import is_marked
    from core.storage.database import Database
    from core.storage.database_owner import is_database_of_ours, refuse_foreign

    database = Database(settings.database, insecure=settings.database_insecure)
    try:
        file = database.file
        marked = file is None or (file.exists() and is_marked(settings.data_dir))
        if not marked and not (file and is_database_of_ours(file)):
            yield None
            return
        if file is not None:
            refuse_foreign(file)
        async with database.snapshot() as connection:
            ready = await has_runs(connection)
        yield database if ready else None
    finally:
        await database.close()


async def known_machine(settings: Settings, hardware: str, profile: str | None) -> Machine:
    """Choose the machine that ``hardware`` names, calibrated where it is this one.

    Args:
        settings: where the database is, and which files are used.
        hardware: a key, a device name, or ``auto``: where the newest run was made, else what can
            run here.
        profile: the model files; the configured ones where None.
    """
    if hardware == "auto":
        async with recorded(settings) as database:
            place = await last_place(database) if database else None
            if database and place and profile in {None, place.profile}:
                book = RunBook(database, place, vram=settings.comfy.vram)
                await book.open()
                return book.machine
        if settings.executor == "draft" or find_spec("torch") is None:
            return DRAFT  # nothing but the animatic can run here
    found = hardware_for(hardware)
    if "draft" in {found.key, profile}:  # drawn on the processor, whatever the card
        return DRAFT
    chosen = profile or settings.models.profile
    return Machine(found, chosen, settings.comfy.vram, way=launching(settings))


@APP.command("estimate", help=say("help_estimate"))
@takes(*option_parameters(option for option in OPTIONS.values() if option.costs))
def estimate_command(
    mode: Annotated[Mode, typer.Argument(help=help_modes())],
    *,
    frames: Annotated[int | None, typer.Option(help=say("help_estimate_frames"))] = None,
    hardware: Annotated[str, typer.Option(help=_HELP_HARDWARE)] = "auto",
    profile: Annotated[str | None, typer.Option(help=_HELP_PROFILE)] = None,
    tier: Annotated[Tier, typer.Option(help=say("help_estimate_tier"))] = Tier.PRO,
    cold: Annotated[bool, typer.Option("--cold", help=say("help_estimate_cold"))] = False,
    as_data: Annotated[bool, typer.Option("--json", help=say("help_estimate_json"))] = False,
    **given: Any,  # noqa: ANN401  # an option, by name
) -> None:
    """Print what a clip costs; needs no media files."""
    settings = load_settings()
    limits = settings.requests.limits()
    if frames is not None:
        fps = given["fps"] or limits.default_fps
        given["seconds"] = typed_seconds(snap_count(frames), fps, limits)
    request = sample_request(mode, Options.of({"prompt": "-", "seed": 0, **given}), limits)
    machine = asyncio.run(known_machine(settings, hardware, profile))
    answer = estimate(request, machine, Residency.DISK if cold else Residency.DEVICE)
    if as_data:
        print_json(as_json(answer, machine, tier))
    else:
        _print_estimate(request, answer, machine, tier)
    for remark in _remarks(request, answer, machine, tier, limits):
        console = err() if as_data else out()  # what reads the JSON is left alone with it
        console.print(remark, soft_wrap=True)


def _print_estimate(request: Request, answer: Estimate, machine: Machine, tier: Tier) -> None:
    title = {
        "mode": request.mode,
        "size": f"{request.sampling.size}×{request.sampling.frames}",
        "seconds": request.sampling.seconds,
        "hardware": machine.hardware.key,
        "profile": machine.profile,
    }
    data = as_json(answer, machine, tier)
    table = Table(title=say("estimate_title", title), show_footer=True)
    table.add_column(say("estimate_part"), footer=say("estimate_total"))
    table.add_column(say("estimate_seconds"), f"{data['total_s']:.2f}", justify="right")
    table.add_column(say("estimate_work"), justify="right")
    table.add_column(say("estimate_moved"), justify="right")
    for part, row in data["stages"].items():
        figures = (row["seconds"], row["flops"] / 1e12, row["bytes"] / 1e9)
        table.add_row(name(part), *(f"{figure:,.2f}" for figure in figures))
    out().print(table)
    line = say("estimate_p95", {**data, "p95_ms": data["p95_s"] * 1000})
    out().print(line, soft_wrap=True)


def _remarks(
    request: Request, answer: Estimate, machine: Machine, tier: Tier, limits: RequestLimits
) -> list[str]:
    """Return what to know of ``answer`` besides its figures."""
    remarks: list[str] = []
    asked = lease(answer, machine, tier)
    if not asked.fits:
        remarks.append(say("estimate_over_tier", {"tier": tier, "limit_s": asked.limit_s}))
        fits = largest_fitting(request, median_budget_ms(machine, tier), machine, limits)
        if fits is not None:
            remarks.append(say("estimate_largest", setting_to_type(fits, limits)._asdict()))
    if machine.runs:
        remarks.append(say("estimate_calibrated", {"runs": machine.runs}))
    if not answer.known:
        remarks.append(say("estimate_unknown_device"))
    return remarks


@APP.command("calibrate", help=say("help_calibrate"))
def calibrate_command(
    rounds: Annotated[int, typer.Option(min=1, max=10, help=say("help_calibrate_rounds"))] = 1,
) -> None:
    """Run the benchmark on the executor of the settings."""
    from core.cli.benchmark import run_benchmark

    asyncio.run(run_benchmark(load_settings(), rounds, out()))
