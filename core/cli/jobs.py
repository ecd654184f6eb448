"""``clapper jobs``: list, show and cancel jobs."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.measure import Measurement
from rich.table import Table

from core.app.core import Core
from core.cli.core_session import local_requester, requester_of, with_idle_core
from core.cli.exit_codes import out, print_json
from core.cli.generate import job_as_json
from core.domain.jobs import Job
from core.i18n.messages import explain, name, say

APP = typer.Typer(help=say("help_jobs"), invoke_without_command=True)

JsonOption = Annotated[bool, typer.Option("--json", help=say("help_json"))]
JobArgument = Annotated[str, typer.Argument(metavar="JOB", help=say("help_job"))]


@APP.callback()
def default(context: typer.Context) -> None:
    """List where no command is given."""
    if context.invoked_subcommand is None:
        list_jobs()


@APP.command("list", help=say("help_jobs_list"))
def list_jobs(
    requester: Annotated[str | None, typer.Option(help=say("help_requester"))] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help=say("help_limit"))] = 20,
) -> None:
    """Print the newest jobs of a requester, and everything that waits."""
    who = requester_of(requester)

    async def look(core: Core) -> tuple[list[Job], list[Job]]:
        operator = core.local_operator(local_requester())
        return await operator.all_live(), await operator.jobs_of(who, limit)

    live, mine = with_idle_core(look)
    jobs = {job.id: job for job in [*live, *mine]}
    if not jobs:
        out().print(say("cli_no_jobs"))
        return
    _print(list(jobs.values()))


@APP.command("show", help=say("help_jobs_show"))
def show(job_id: JobArgument, *, as_json: JsonOption = False) -> None:
    """Print one job."""

    async def look(core: Core) -> Job:
        return await core.local_operator(local_requester()).job(job_id)

    job = with_idle_core(look)
    if as_json:
        print_json(job_as_json(job, job.clip.path if job.clip else None))
        return
    console = out()
    _print([job])
    if job.clip is not None:
        console.print(str(job.clip.path), soft_wrap=True)
    if job.failure is not None:
        console.print(explain(job.failure), soft_wrap=True)


@APP.command("cancel", help=say("help_jobs_cancel"))
def cancel(job_id: JobArgument) -> None:
    """Cancel one job with an operator's right."""

    async def stop(core: Core) -> Job:
        return await core.local_operator(local_requester()).cancel(job_id)

    job = with_idle_core(stop)
    out().print(say("cli_cancelled", {"job_id": job.id}))


def _print(jobs: list[Job]) -> None:
    """Print one line a job, whole also where the terminal is narrower, as scripts read it."""
    console, table = out(), _table(jobs)
    wanted = Measurement.get(console, console.options.update(width=1000), table).maximum
    console.width = max(console.width, wanted)
    console.print(table)


def _table(jobs: list[Job]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("job", "who", "mode", "size", "seconds", "state", "made", "charged"):
        table.add_column(say(f"cli_column_{column}"), no_wrap=column == "job")
    for job in jobs:
        sampling = None if job.asked is None else job.asked.sampling
        table.add_row(
            job.id,
            job.requester.key,
            job.mode_word,
            "–" if sampling is None else str(sampling.size),
            "–" if sampling is None else f"{sampling.seconds:.1f}",
            name(job.state),
            f"{datetime.fromtimestamp(job.created_at_ms / 1000, UTC):%m-%d %H:%M}",
            "–" if job.charged_ms is None else f"{job.charged_ms / 1000:.1f} s",
        )
    return table
