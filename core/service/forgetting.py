"""Forgetting a person: all that is kept of every account of theirs."""

from dataclasses import dataclass

from core.accounts.linked_accounts import LinkedAccounts
from core.domain.people import Requester
from core.service.cancellation import Cancellation


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Whose data are gone, and how many jobs there were."""

    accounts: tuple[Requester, ...]
    jobs: int


async def forget_person(
    person: Requester, linked: LinkedAccounts, cancellation: Cancellation
) -> Forgotten:
    """Delete all jobs, files and joins of ``person``; live jobs after a cancel."""
    keys = await linked.keys(person)
    jobs = sum([await cancellation.forget(one) for one in keys])
    await linked.leave(person)
    await cancellation.remove_traces()
    return Forgotten(tuple(keys), jobs)
