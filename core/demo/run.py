"""Runs the six wishes through the real core: admitted, queued, drawn, encoded, delivered."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from core.delivery.file_delivery import reply_to_file
from core.demo.inputs import DemoJob
from core.domain.jobs import Failure, Job, ReplyTo, Ticket
from core.domain.media import MediaFile
from core.domain.modes import Mode
from core.domain.people import Requester
from core.domain.requests import Composition
from core.media.output.destinations import poster_of
from core.service.generation import GenerationService

OWNER = Requester("cli", "demo")


class JobRunner(Protocol):
    """What the show needs of whoever runs the core."""

    @property
    def service(self) -> GenerationService:
        """Return the front door."""
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
        """Return the delivered file, or why there is none."""
        ...


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What became of one wish."""

    job: Job
    file: Path | None  # None where it failed


def output_files(out: Path) -> list[Path]:
    """Return every file that a show writes into ``out``."""
    clips = [(out / f"{mode}.mp4").resolve() for mode in Mode]
    return [*clips, *map(poster_of, clips)]


async def run_demo(
    runner: JobRunner, wishes: list[DemoJob], out: Path, *, force: bool = False
) -> list[DemoResult]:
    """Submit every wish, wait for all clips in ``out``, and return them in the order of wishes.

    Raises:
        ClapperError: a wish was refused.
    """
    tickets: list[Ticket] = []
    run = uuid4().hex  # every run makes jobs of its own
    for wish in wishes:
        composition = runner.service.compose(wish.mode, wish.options, await _admit(runner, wish))
        reply_to = reply_to_file(out / f"{wish.mode}.mp4", force=force)
        tickets.append(await runner.submit(composition, reply_to, f"demo:{run}:{wish.mode}", OWNER))
    results = await asyncio.gather(*(runner.result(ticket.job_id) for ticket in tickets))
    return [
        DemoResult(
            await runner.service.job(ticket.job_id), result if isinstance(result, Path) else None
        )
        for ticket, result in zip(tickets, results, strict=True)
    ]


async def _admit(runner: JobRunner, wish: DemoJob) -> dict[str, MediaFile]:
    return {
        role: await runner.service.admit(path, role, kind, OWNER)
        for role, path, kind in wish.slots()
    }
