"""Runs the six wishes through the real core: admitted, queued, drawn, encoded, delivered."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from core.delivery.file_delivery import reply_to_file
from core.demo.inputs import Wish
from core.domain.jobs import Failure, Job, ReplyTo, Ticket
from core.domain.media import MediaFile
from core.domain.modes import Mode
from core.domain.people import Caller, Requester
from core.domain.requests import Composition
from core.media.output.destinations import poster_of
from core.service.user_api import UserApi

OWNER = Requester("cli", "demo")
CALLER = Caller(OWNER, "cli")


class Runner(Protocol):
    """What the show needs of whoever runs the core."""

    @property
    def users(self) -> UserApi:
        """Return the door of people."""
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
class Shown:
    """What became of one wish."""

    job: Job
    file: Path | None  # None where it failed


def places(out: Path) -> list[Path]:
    """Return every file that a show writes into ``out``."""
    clips = [(out / f"{mode}.mp4").resolve() for mode in Mode]
    return [*clips, *map(poster_of, clips)]


async def run_show(
    runner: Runner, wishes: list[Wish], out: Path, *, force: bool = False
) -> list[Shown]:
    """Submit every wish, wait for all clips in ``out``, and return them in the order of wishes.

    Raises:
        ClapperError: a wish was refused.
    """
    tickets: list[Ticket] = []
    run = uuid4().hex  # every run makes jobs of its own
    for wish in wishes:
        media = await _admit(runner, wish)
        composition = await runner.users.compose(CALLER, wish.mode, wish.options, media)
        reply_to = reply_to_file(out / f"{wish.mode}.mp4", force=force)
        tickets.append(await runner.submit(composition, reply_to, f"demo:{run}:{wish.mode}", OWNER))
    results = await asyncio.gather(*(runner.result(ticket.job_id) for ticket in tickets))
    return [
        Shown(
            await runner.users.job(CALLER, ticket.job_id),
            result if isinstance(result, Path) else None,
        )
        for ticket, result in zip(tickets, results, strict=True)
    ]


async def _admit(runner: Runner, wish: Wish) -> dict[str, MediaFile]:
    return {
        role: await runner.users.files.admit(CALLER, path, role, kind)
        for role, path, kind in wish.slots()
    }
