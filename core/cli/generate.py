"""``clapper generate``: one clip, from options to a file."""

import asyncio
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any
from uuid import uuid4

import typer

from core.cli.core_session import CoreSession, announce_to, local_requester, working_core
from core.cli.exit_codes import (
    ExitStatus,
    FileAbsent,
    OutputKept,
    OutputRefused,
    err,
    explained_exit,
    out,
    print_json,
)
from core.cli.table_parameters import (
    file_parameters,
    help_modes,
    option_parameters,
    roles,
    takes,
)
from core.cli.terminal import PlainConsole
from core.delivery.file_delivery import reply_to_file
from core.domain.jobs import Failure, Job, ReplyTo, Ticket
from core.domain.modes import MODES, Mode
from core.domain.options import KEPT, OPTIONS, Options
from core.domain.request_builder import compose
from core.domain.requests import Composition, sampling_to_json
from core.errors import MediaMissing, MediaUnexpected
from core.i18n.messages import explain, say
from core.media.output.destinations import check_clip, poster_of
from core.runtime.paths import readable
from core.settings import load_settings

APP = typer.Typer()

ModeArgument = Annotated[Mode, typer.Argument(help=help_modes())]
OutOption = Annotated[Path, typer.Option("--out", "-o", help=say("help_out_file"))]
ForceOption = Annotated[bool, typer.Option("--force", help=say("help_force"))]
JsonOption = Annotated[bool, typer.Option("--json", help=say("help_json"))]
_PROMPT, *_OPTIONS = option_parameters(OPTIONS.values(), {"prompt": "-p", "seconds": "-s"})


@APP.command("generate", help=say("help_generate"))
@takes(_PROMPT, *file_parameters(), *_OPTIONS)
def generate(
    mode: ModeArgument,
    file: OutOption,
    *,
    force: ForceOption = False,
    as_json: JsonOption = False,
    **given: Any,  # noqa: ANN401  # an option or a path, by name or role
) -> None:
    """Make one clip.

    Raises:
        Exit: with the status of what went wrong.
    """
    paths = {role: given[role] for role in roles() if given[role] is not None}
    options = Options.of({name: given[name] for name in OPTIONS})
    with explained_exit(as_json=as_json):
        check_files(mode, paths, file)
        check_clip(file, paths.values(), force=force)
        reply_to = reply_to_file(file, paths.values(), force=force)
        job = asyncio.run(_generate(mode, options, paths, reply_to, err() if as_json else out()))
        if as_json:
            print_json(job_as_json(job, file))
    if job.failure is not None:
        raise typer.Exit(ExitStatus.FAILED)


def check_files(mode: Mode, paths: dict[str, Path], file: Path) -> None:
    """Refuse what can be refused before anything is opened.

    Raises:
        MediaUnexpected: a file in a role that ``mode`` does not have.
        MediaMissing: a role without a file.
        FileAbsent: no such file.
        OutputRefused: ``file`` is no place for an MP4, or no file can be made there.
    """
    roles = [slot.role for slot in MODES[mode].slots]
    for role, path in paths.items():
        if role not in roles:
            raise MediaUnexpected(mode, role)
        if not path.is_file():
            raise FileAbsent(readable(path))
    for role in roles:
        if role not in paths:
            raise MediaMissing(mode, role)
    if file.suffix.lower() != ".mp4" or file.is_dir() or not _takes_files(file):
        raise OutputRefused(readable(file))


def _takes_files(file: Path) -> bool:
    """Tell whether a file can be made beside ``file``; its folders may come later."""
    nearest = next(folder for folder in file.absolute().parents if folder.exists())
    try:
        with TemporaryFile(dir=nearest):
            return True
    except OSError:
        return False


async def _generate(
    mode: Mode, options: Options, paths: dict[str, Path], reply_to: ReplyTo, console: PlainConsole
) -> Job:
    about_here: list[str] = []  # said once a clip is made: above a refusal it would hide that
    async with working_core(load_settings(), console, about_here.append) as session:
        composition = await compose_request(session, mode, options, paths)
        ticket = await session.submit(composition, reply_to, f"cli:{uuid4().hex}")
        for sentence in about_here:
            announce_to(err())(sentence)
        _print_ticket(composition, ticket, console)
        result = await session.result(ticket.job_id)
        job = await session.job(ticket.job_id)
    if job.clip is not None and isinstance(result, Failure):
        place, reason = reply_to.address["out"], str(result.data["reason"])
        raise OutputKept(place, readable(job.clip.path), reason)
    return job


async def compose_request(
    session: CoreSession, mode: Mode, options: Options, paths: dict[str, Path]
) -> Composition:
    """Admit the files at ``paths``, and compose the request for ``options``.

    Raises:
        InvalidInput: with the limit that is broken.
    """
    core = session.core
    media = {
        slot.role: await core.admission.admit(
            paths[slot.role], slot.role, slot.kind, local_requester()
        )
        for slot in MODES[mode].slots
    }
    return compose(mode, options, media, core.users.limits)


def _print_ticket(composition: Composition, ticket: Ticket, console: PlainConsole) -> None:
    for adjustment in composition.adjustments:
        console.print(explain(adjustment), style="yellow", soft_wrap=True)
    sampling = composition.request.sampling
    facts = {
        "mode": composition.request.mode,
        "size": str(sampling.size),
        "seconds": sampling.seconds,
        "fps": sampling.fps,
        "seed": sampling.seed,
    }
    console.print(say("cli_accepted", facts), soft_wrap=True)
    forecast = ticket.forecast
    if forecast is not None:
        line = {"position": forecast.position, "ready_in_s": forecast.ready_in_s}
        code = {0: "cli_begins", 1: "cli_next"}.get(forecast.position, "cli_position")
        console.print(say(code, line), soft_wrap=True)


def job_as_json(job: Job, file: Path | None = None) -> dict[str, Any]:
    """Return what scripts want to know of ``job``; no words of a person, unlike its row."""
    clip = job.clip
    return {
        "job_id": job.id,
        "state": job.state.value,
        "mode": str(job.mode_word),
        **_sampling_as_json(job),
        "estimate_ms": job.estimate_ms,
        "charged_ms": job.charged_ms,
        "file": str(file.resolve()) if file and clip else None,
        "poster": str(poster_of(file.resolve())) if file and clip else None,
        "size_bytes": clip.size_bytes if clip else None,
        "error": _as_json(job.failure) if job.failure else None,
    }


def _sampling_as_json(job: Job) -> dict[str, Any]:
    """Return how the clip of ``job`` is made; nothing where that cannot be read any more."""
    if job.asked is None:
        return {}
    sampling = job.asked.sampling
    values = sampling_to_json(sampling)
    return {
        "preset": sampling.preset.value,
        "width": sampling.width,
        "height": sampling.height,
        "frames": sampling.frames,
        "fps": sampling.fps,
        "seconds": round(sampling.seconds, 3),
        "seed": sampling.seed,
        **{option.name: values[option.name] for option in KEPT if not option.is_private},
    }


def _as_json(failure: Failure) -> dict[str, Any]:
    return {"code": failure.code, "message": explain(failure), "data": failure.data}
