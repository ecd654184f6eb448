"""Find the jobs that a caller may see; what an operator sees of others is written down."""

import time
from collections import OrderedDict

from core.accounts.moderation import Moderation
from core.domain.jobs import Job
from core.domain.people import Caller
from core.errors import JobUnknown, NotYours, OperatorsOnly
from core.service.operator_api import OperatorApi
from core.service.ownership import Ownership
from core.storage.job_queries import JobQueries

LOOK = "look"  # the verb of the audit log
ONCE_S = 60.0  # one look at a job is many calls: they are one line of the log
REMEMBERED = 1000  # looks
_SHOWN = 40  # characters of what is no id


class VisibleJobs:
    """Jobs by their id, for those who may see them: their owner, and operators."""

    def __init__(
        self, jobs: JobQueries, owned: Ownership, moderation: Moderation, operators: OperatorApi
    ) -> None:
        self._jobs = jobs
        self._owned = owned
        self._moderation = moderation
        self._operators = operators
        self._looks: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def is_operator(self, caller: Caller) -> bool:
        """Tell whether the settings name the caller, or a role of theirs."""
        return caller.has_operator_role or self._moderation.is_operator(caller.requester)

    def operator(self, caller: Caller) -> OperatorApi:
        """Return the door of operators, in the caller's name.

        Raises:
            OperatorsOnly: the settings name neither the caller nor a role of theirs.
        """
        if not self.is_operator(caller):
            raise OperatorsOnly
        return self._operators.acting_as(caller.requester)

    async def get(self, caller: Caller, job_id: str, verb: str = LOOK) -> Job:
        """Return a job that the caller may see, for what ``verb`` says.

        Raises:
            JobUnknown: there is none, or it was deleted.
            NotYours: it belongs to somebody else, and the caller is no operator.
        """
        job, own = await self.find(caller, job_id)
        if not own:
            await self._note(caller, verb, job_id)
        return job

    async def find(self, caller: Caller, job_id: str) -> tuple[Job, bool]:
        """Return a job that the caller may see, and whether it is their own.

        The caller of this writes down what an operator does with it.

        Raises:
            JobUnknown: there is none, or it was deleted.
            NotYours: it belongs to somebody else, and the caller is no operator.
        """
        job = await self._named(job_id)
        own = await self._owned.owns(caller, job)
        if not own and not self.is_operator(caller):
            raise NotYours(job_id)
        return job, own

    async def own(self, caller: Caller, job_id: str) -> Job:
        """Return a job of the caller's own; an operator's right does not help.

        Raises:
            JobUnknown: there is none, or it was deleted.
            NotYours: it belongs to somebody else.
        """
        job = await self._named(job_id)
        if not await self._owned.owns(caller, job):
            raise NotYours(job_id)
        return job

    async def _named(self, job_id: str) -> Job:
        """Return the job of an id that came from outside.

        Raises:
            JobUnknown: there is none; no database is asked for what no id can be.
        """
        if not (job_id.isascii() and job_id.isalnum()):
            raise JobUnknown(job_id.encode("ascii", "replace").decode()[:_SHOWN])
        return await self._jobs.get(job_id)

    async def _note(self, caller: Caller, verb: str, job_id: str) -> None:
        look, now = (caller.requester.key, verb, job_id), time.monotonic()
        if now - self._looks.get(look, -ONCE_S) < ONCE_S:
            return
        self._looks[look] = now
        self._looks.move_to_end(look)
        if len(self._looks) > REMEMBERED:
            self._looks.popitem(last=False)
        await self.operator(caller).note(verb, job_id)
