"""The accounts that belong to one caller: one-time codes that join them, and parting again."""

from core.accounts.linked_accounts import LinkedAccounts
from core.domain.people import Caller, Requester
from core.service.cancellation import Cancellation
from core.service.forgetting import forget_person


class UserAccounts:
    """Joins and parts the accounts of a caller."""

    def __init__(self, accounts: LinkedAccounts) -> None:
        self._accounts = accounts

    async def forget(self, caller: Caller, cancellation: Cancellation) -> int:
        """Delete all jobs, files and joins of the caller; return how many jobs there were."""
        return (await forget_person(caller.requester, self._accounts, cancellation)).jobs

    async def keys(self, caller: Caller) -> list[Requester]:
        """Return every account of the caller, the one that pays first."""
        return await self._accounts.keys(caller.requester)

    async def link_code(self, caller: Caller) -> str:
        """Return a one-time code with which the caller joins another account of theirs."""
        return await self._accounts.link_code(caller.requester)

    async def link(self, caller: Caller, code: str, name: str = "") -> Requester:
        """Join the caller to the account whose code it is, and return that account.

        Args:
            caller: who typed the code.
            code: as it was typed.
            name: how the platform calls the caller, for the owner of the code.

        Raises:
            LinkCodeUnknown: the code is wrong, used or too old.
            LinkTriesUsed: too many codes did not fit lately.
        """
        return await self._accounts.link(caller.requester, code, name)

    async def burn(self, code: str) -> None:
        """End a code that others may have seen; whoever shows it may end it."""
        await self._accounts.burn(code)

    async def leave(self, caller: Caller) -> None:
        """Part the caller's account from all others."""
        await self._accounts.leave(caller.requester)

    async def unlink(self, caller: Caller, other: Requester) -> bool:
        """Take ``other`` out of the caller's account; False where it does not belong to it."""
        return await self._accounts.unlink(caller.requester, other)
