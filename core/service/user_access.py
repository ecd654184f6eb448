"""What somebody may ask about their access to the bots, and what they may show where."""

from core.accounts.access import AccessList
from core.accounts.moderation import Moderation
from core.domain.jobs import Job
from core.domain.people import Caller
from core.domain.requests import Request


class UserAccess:
    """Asks both who may use the bots and what the rules of a place forbid."""

    def __init__(self, access: AccessList, moderation: Moderation) -> None:
        self._access = access
        self._moderation = moderation

    async def check(self, caller: Caller) -> None:
        """Refuse, before any file is fetched, who was not let in.

        Raises:
            AccessClosed: nothing lets the caller in; they may ask.
        """
        await self._access.check(caller)

    async def admits(self, caller: Caller) -> bool:
        """Tell whether the caller may use the bots where they ask."""
        return await self._access.admits(caller)

    async def ask(self, caller: Caller, name: str) -> None:
        """Ask the operators to let the caller in; ``name`` is how the platform calls them.

        Raises:
            RequesterBlocked: an operator blocked this person.
            AccessNotAsked: they wait already, were turned down lately, or nobody could answer.
        """
        await self._access.ask(caller, name)

    async def language(self, caller: Caller) -> str:
        """Return the language that operators chose for the caller's place; empty where none."""
        everywhere, own = await self._moderation.policies(caller.place)
        return own.language or everywhere.language

    async def check_request(self, caller: Caller, request: Request) -> None:
        """Refuse what may not be made, or shown to all, in the caller's place.

        Raises:
            AccessClosed: nothing lets the caller in.
            RequesterBlocked: an operator blocked the caller.
            PolicyForbids: a rule of the place, or of all places.
        """
        await self._access.check(caller)
        await self._moderation.admit(
            request, caller.requester, caller.place, caller.asker, caller.earlier
        )

    async def check_shown(self, caller: Caller, job: Job) -> None:
        """Refuse to show ``job`` to all in the caller's place where it could not be made there.

        Where a model made more of the prompt, its words count as well.

        Raises:
            AccessClosed: nothing lets the caller in.
            RequesterBlocked: an operator blocked the caller.
            PolicyForbids: a rule of the place, or of all places.
        """
        await self.check_request(caller, job.request)
        if job.clip is not None and job.clip.prompt_used:
            await self._moderation.admit_text(job.clip.prompt_used, caller.place, caller.asker)
