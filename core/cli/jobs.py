"""``clapper jobs``: list, show and cancel jobs."""

from pathlib import Path
from typing import Annotated

import typer

from core.cli.core_session import requester_of
from core.cli.exit_codes import out, print_json
from core.cli.job_lines import job_as_json, print_jobs
from core.cli.steering import steer, steer_one
from core.control.commands import CancelJob, ListJobs, ShowJob
from core.i18n.messages import explain, say

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
    jobs = steer(ListJobs(requester_of(requester).key, limit))
    if not jobs:
        out().print(say("cli_no_jobs"))
        return
    print_jobs(jobs)


@APP.command("show", help=say("help_jobs_show"))
def show(job_id: JobArgument, *, as_json: JsonOption = False) -> None:
    """Print one job."""
    job = steer_one(ShowJob(job_id))
    if as_json:
        print_json(job_as_json(job, Path(job.clip.path) if job.clip else None))
        return
    console = out()
    print_jobs([job])
    if job.clip is not None:
        console.print(job.clip.path, soft_wrap=True)
    if job.failure is not None:
        console.print(explain(job.failure), soft_wrap=True)


@APP.command("cancel", help=say("help_jobs_cancel"))
def cancel(job_id: JobArgument) -> None:
    """Cancel one job with an operator's right."""
    job = steer_one(CancelJob(job_id))
    out().print(say("cli_cancelled", {"job_id": job.id}))
