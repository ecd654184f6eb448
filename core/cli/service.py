"""``clapper status|pause|drain|resume|cancel|logs``: steer the service while it runs."""

import asyncio
from contextlib import suppress
from dataclasses import asdict
from typing import Annotated

import typer

from core.cli.exit_codes import out, print_json
from core.cli.jobs import JobArgument, JsonOption, cancel
from core.cli.steering import require_service, steer_one
from core.control.client import running_service
from core.control.commands import ReadLogs, ReadStatus, SetIntake
from core.control.reports import ServiceStatus
from core.i18n.messages import name, say
from core.queue.intake import Intake
from core.runtime.terminal_text import printable
from core.settings import load_settings

APP = typer.Typer()


@APP.command("status", help=say("help_status"))
def status(*, as_json: JsonOption = False) -> None:
    """Print how the service is."""
    found: ServiceStatus = steer_one(ReadStatus())
    if as_json:
        print_json(asdict(found))
        return
    _print("cli_status" if found.serving else "cli_status_idle", found)
    for trouble in found.troubles:
        out().print(say("cli_trouble", {"check": f"check_{trouble}"}), soft_wrap=True)
    if found.dead_deliveries:
        _print("cli_dead_deliveries", found)


@APP.command("pause", help=say("help_pause"))
def pause() -> None:
    """Take no new jobs until somebody resumes."""
    _set("paused", "cli_paused")


@APP.command("drain", help=say("help_drain"))
def drain() -> None:
    """Take no new jobs until the service was started again."""
    _set("draining", "cli_draining")


@APP.command("resume", help=say("help_resume"))
def resume() -> None:
    """Take new jobs again."""
    _set("open", "cli_resumed")


@APP.command("cancel", help=say("help_jobs_cancel"))
def cancel_job(job_id: JobArgument) -> None:
    """Cancel one job with an operator's right."""
    cancel(job_id)


@APP.command("logs", help=say("help_logs"))
def logs(
    *,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, max=2000, help=say("help_lines"))
    ] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help=say("help_follow"))] = False,
) -> None:
    """Print the newest lines of the running service's log."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_logs(ReadLogs(lines, follow)))


async def _logs(command: ReadLogs) -> None:
    settings = load_settings()
    async with running_service(settings.data_dir) as client:
        service = require_service(client, settings)
        async for line in service.ask(command, answer_s=None):
            out().print(printable(line.text), soft_wrap=True)


def _set(state: Intake, code: str) -> None:
    _print(code, steer_one(SetIntake(state)))


def _print(code: str, found: ServiceStatus) -> None:
    facts = {**asdict(found), "intake": name(f"intake_{found.intake}")}
    out().print(say(code, facts), soft_wrap=True)
