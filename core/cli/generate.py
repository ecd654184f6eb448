"""``clapper generate``: one clip, from options to a file."""

import asyncio
from dataclasses import dataclass, replace
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
from core.cli.generation_lines import print_accepted
from core.cli.job_lines import job_as_json
from core.cli.picture_arguments import IMAGE, placed_pictures
from core.cli.remote_generation import RemoteGeneration, clip_command
from core.cli.steering import no_other_process
from core.cli.table_parameters import (
    file_parameters,
    help_modes,
    option_parameters,
    roles,
    takes,
)
from core.cli.terminal import PlainConsole
from core.control.client import running_service
from core.control.reports import GenerationAccepted, JobReport
from core.delivery.file_place import PLATFORM
from core.domain.jobs import Failure
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS, Options
from core.domain.people import Caller
from core.domain.requests import Composition, check_roles
from core.errors import MediaMissing, MediaUnexpected
from core.i18n.messages import say
from core.media.output.destinations import check_clips
from core.runtime.paths import readable
from core.settings import Settings, load_settings

APP = typer.Typer()

ModeArgument = Annotated[Mode, typer.Argument(help=help_modes())]
OutOption = Annotated[Path, typer.Option("--out", "-o", help=say("help_out_file"))]
ForceOption = Annotated[bool, typer.Option("--force", help=say("help_force"))]
JsonOption = Annotated[bool, typer.Option("--json", help=say("help_json"))]
_PROMPT, *_OPTIONS = option_parameters(OPTIONS.values(), {"prompt": "-p", "seconds": "-s"})


@dataclass(frozen=True, slots=True)
class _ClipRequest:
    mode: Mode
    options: Options
    paths: dict[str, Path]  # of inputs, by role
    file: Path
    force: bool  # replace what lies there


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
        MediaUnexpected: a picture in two ways; explained like every refusal.
    """
    paths = {role: given[role] for role in roles() if role != IMAGE and given[role] is not None}
    with explained_exit(as_json=as_json, interrupted="cli_interrupted"):
        placed = placed_pictures(mode, given[IMAGE] or ())
        if not paths.keys().isdisjoint(placed.paths):
            raise MediaUnexpected(mode, IMAGE)
        paths = paths | placed.paths
        options = Options.of({name: given[name] for name in OPTIONS})
        options = replace(options, times=options.times or placed.times)
        check_files(mode, paths, file)
        typed = options.drafts or ""  # another number than there is is refused later
        count = int(typed) if typed.isdecimal() and typed.isascii() else 1
        check_clips(file, count, list(paths.values()), force=force)
        request = _ClipRequest(mode, options, paths, file, force)
        job = asyncio.run(_generate(request, err() if as_json else out()))
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
    check_roles(mode, paths)
    for path in paths.values():
        if not path.is_file():
            raise FileAbsent(readable(path))
    for slot in MODES[mode].slots:
        if slot.role not in paths:
            raise MediaMissing(mode, slot.role)
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


async def _generate(request: "_ClipRequest", console: PlainConsole) -> JobReport:
    """Let the running service make the clip; without one, this process does.

    Raises:
        ClapperError: it was refused, or could not be delivered.
    """
    settings = load_settings()
    async with running_service(settings.data_dir) as service:
        if service is not None:
            command = clip_command(
                request.mode, request.options, request.paths, request.file, force=request.force
            )
            return await RemoteGeneration(service, command, console).run()
    with no_other_process():
        return await _generate_here(settings, request, console)


async def _generate_here(
    settings: Settings, request: "_ClipRequest", console: PlainConsole
) -> JobReport:
    about_here: list[str] = []  # said once a clip is made: above a refusal it would hide that
    async with working_core(settings, console, about_here.append) as session:
        composition = await compose_request(session, request.mode, request.options, request.paths)
        count, inputs = 1 + len(composition.drafts), list(request.paths.values())
        check_clips(request.file, count, inputs, force=request.force)
        reply_to = session.place.reply_to(request.file, request.paths.values(), force=request.force)
        ticket = await session.submit(composition, reply_to, f"cli:{uuid4().hex}")
        for sentence in about_here:
            announce_to(err())(sentence)
        print_accepted(GenerationAccepted.of(composition, ticket), console)
        result = await session.result(ticket.job_id)
        job = await session.job(ticket.job_id)
    if job.clip is not None and isinstance(result, Failure):
        place, reason = reply_to.address["out"], str(result.data["reason"])
        raise OutputKept(place, readable(job.clip.path), reason)
    return JobReport.of(job)


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
        for slot in MODES[mode].every_slot
        if slot.role in paths
    }
    return await core.users.compose(Caller(local_requester(), PLATFORM), mode, options, media)
