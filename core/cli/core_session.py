"""Open a working core for one command, and close it again."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.roles import check_role, role_of_service
from core.cli.terminal import PlainConsole
from core.delivery.file_delivery import TerminalDelivery
from core.delivery.file_place import PLATFORM, FilePlace
from core.domain.jobs import Failure, Job, ReplyTo, Ticket
from core.domain.people import Requester
from core.domain.requests import Composition
from core.errors import Cancelled, NotAChoice
from core.runtime.tasks import outcome_of
from core.service.submission import Submitter
from core.service.user_api import UserApi
from core.settings import Settings


def local_requester() -> Requester:
    """Return the requester of the command line: the user of the operating system."""
    return Requester(PLATFORM, str(os.getuid()))


def requester_of(key: str | None) -> Requester:
    """Parse the requester typed as ``platform:user``; without one, :func:`local_requester`.

    Raises:
        NotAChoice: it names nobody.
    """
    if key is None:
        return local_requester()
    who = Requester.from_key(key)
    if not (who.platform and who.user_id):
        raise NotAChoice("user", key[:40], f"{local_requester().key}, discord:123456789, …")
    return who


@dataclass(frozen=True)
class CoreSession:
    """A core that works, and the delivery that brings its results to files."""

    core: Core
    _delivery: TerminalDelivery
    _work: "asyncio.Task[None]"

    @property
    def users(self) -> UserApi:
        """Return the door of people."""
        return self.core.users

    @property
    def place(self) -> FilePlace:
        """Return the disk that results are written to."""
        return self.core.membership.files

    async def submit(
        self,
        composition: Composition,
        reply_to: ReplyTo,
        key: str,
        requester: Requester | None = None,
    ) -> Ticket:
        """Accept a job whose clip goes where ``reply_to`` says.

        Raises:
            Refused: not now, or not for this account.
        """
        submitter = Submitter(requester or local_requester())
        return await self.core.submission.submit(composition, submitter, reply_to, key)

    async def result(self, job_id: str) -> Path | Failure:
        """Wait for the delivered file, or why there is none; cancelling this cancels the job.

        Raises:
            CancelledError: the command was interrupted; the job is cancelled and refunded.
            Cancelled: the core stopped before the job was over.
        """
        arrived = self._delivery.result(job_id)
        try:
            await asyncio.wait({arrived, self._work}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            job = await self.core.jobs.get(job_id)
            await outcome_of(self.core.cancellation.cancel(job_id, job.requester))
            both = {arrived, self._work}
            await asyncio.wait(both, timeout=5, return_when=asyncio.FIRST_COMPLETED)
            raise
        if not arrived.done():
            await self._work
            raise self.core.worker.watch.lost or Cancelled("shutdown")
        return arrived.result()

    async def job(self, job_id: str) -> Job:
        """Return the row of ``job_id``."""
        return await self.core.jobs.get(job_id)


@asynccontextmanager
async def working_core(
    settings: Settings, console: PlainConsole, announce: Callable[[str], None]
) -> AsyncGenerator[CoreSession]:
    """Open the core and let it work inside the block; bars and results go to ``console``.

    Raises:
        SetupProblem: the core cannot be opened.
    """
    role = role_of_service(settings)
    check_role(settings, role)
    async with open_core(settings, announce=announce, role=role) as core:
        delivery = TerminalDelivery(console, core.membership.files)
        core.router.register(delivery)
        stop = asyncio.Event()
        work = asyncio.create_task(core.run(stop))
        try:
            yield CoreSession(core, delivery, work)
        finally:
            stop.set()
            await asyncio.wait({work})
            delivery.close()
            work.result()


def announce_to(console: PlainConsole) -> Callable[[str], None]:
    """Make what prints sentences for the operator."""
    return lambda sentence: console.print(sentence, style="dim", soft_wrap=True)
