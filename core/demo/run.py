"""Run the demo jobs through the real core: admitted, queued, drawn, encoded, delivered."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from core.delivery.file_place import FilePlace
from core.demo.inputs import DemoJob
from core.domain.jobs import Failure, Job, ReplyTo, Ticket
from core.domain.media import MediaFile
from core.domain.modes import Mode
from core.domain.people import Caller, Requester
from core.domain.requests import Composition
from core.media.output.destinations import poster_of
from core.service.user_api import UserApi

OWNER = Requester("cli", "demo")
CALLER = Caller(OWNER, "cli")


class JobRunner(Protocol):
    """What the demonstration needs of whoever runs the core."""

    @property
    def users(self) -> UserApi:
        """Return the door of people."""
        ...

    @property
    def place(self) -> FilePlace:
        """Return the disk that results are written to."""
        ...

    async def submit(
        self,
        composition: Composition,
        reply_to: ReplyTo,
        key: str,
        requester: Requester | None = None,
    ) -> Ticket:
        """Accept a job whose clip goes where ``reply_to`` says."""
        ...

    async def result(self, job_id: str) -> Path | Failure:
        """Wait for the delivered file, or why there is none."""
        ...


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The result of one demo job."""

    job: Job
    file: Path | None  # None where it failed


def output_files(out: Path) -> list[Path]:
    """List every file that the demonstration writes into ``out``."""
    clips = [(out / f"{mode}.mp4").resolve() for mode in Mode]
    return [*clips, *map(poster_of, clips)]


async def run_demo(
    runner: JobRunner, demo_jobs: list[DemoJob], out: Path, *, force: bool = False
) -> list[DemoResult]:
    """Submit every demo job, wait for all clips in ``out``, and return results in their order.

    Raises:
        ClapperError: a demo job was refused.
    """
    tickets: list[Ticket] = []
    run = uuid4().hex  # every run makes jobs of its own
    for demo_job in demo_jobs:
        media = await _admit(runner, demo_job)
        composition = await runner.users.compose(CALLER, demo_job.mode, demo_job.options, media)
        reply_to = runner.place.reply_to(out / f"{demo_job.mode}.mp4", force=force)
        tickets.append(
            await runner.submit(composition, reply_to, f"demo:{run}:{demo_job.mode}", OWNER)
        )
    results = await asyncio.gather(*(runner.result(ticket.job_id) for ticket in tickets))
    return [
        DemoResult(
            await runner.users.job(CALLER, ticket.job_id),
            result if isinstance(result, Path) else None,
        )
        for ticket, result in zip(tickets, results, strict=True)
    ]


async def _admit(runner: JobRunner, demo_job: DemoJob) -> dict[str, MediaFile]:
    return {
        role: await runner.users.files.admit(CALLER, path, role, kind)
        for role, path, kind in demo_job.slots()
    }
