"""Check, reserve and settle in every limit that applies to a job, on one append-only ledger.

A job reserves its estimate in each of them; its end commits what it took or refunds all of it, in
the windows of the reservations, also where others have begun meanwhile. Balances are sums of the
ledger and outlive jobs: nothing that is deleted or forgotten gives anything back.

All keys of a person have one budget: the sum of their windows against one allowance. Every key
keeps a window of its own in the ledger, so nothing moves when people join. After they part, each
carries what the others had spent until that window ends. A place carries what it spent under its
earlier name.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.accounts.limits import Limit, QuotaRules
from core.domain.people import Payer
from core.domain.quota import LentMs, LimitBalance, QuotaView, Unit
from core.storage import accounts, ledger, pseudonyms
from core.storage.database import Connection
from core.storage.records import CarriedUse, QuotaWindow, Reservation
from core.storage.write_batch import WriteBatch


@dataclass(frozen=True, slots=True)
class LimitAccount:
    """One limit that applies to somebody: whose account it is, and its window in force."""

    limit: Limit
    subject: str  # whose it is
    key: str | None  # what the ledger calls it; None: it gets a pseudonym with its first use
    window: QuotaWindow
    kept: bool  # the window has a row
    balance: LimitBalance


class LimitLedger:
    """The limits in one transaction, at one moment."""

    def __init__(self, connection: Connection, rules: QuotaRules, now: int) -> None:
        """Take the transaction, what the limits allow, and the time (epoch ms)."""
        self._connection = connection
        self._rules = rules
        self._now = now

    async def view(self, payer: Payer) -> QuotaView:
        """Read what ``payer`` may still spend, a balance for each limit that applies."""
        return replace(_view(await self._accounts(payer)), tier=payer.tier)

    async def check(self, payer: Payer, estimate_ms: int) -> None:
        """Refuse a job that costs more than a limit leaves.

        Raises:
            QuotaExceeded: it costs more GPU time than is left.
            TooManyJobs: no more jobs may be made.
        """
        _require(await self._accounts(payer), estimate_ms)

    async def reserve(self, batch: WriteBatch, payer: Payer, job_id: str, estimate_ms: int) -> None:
        """Set a job's part aside in every limit; the first use of a window begins it.

        Raises:
            QuotaExceeded: it costs more GPU time than is left; nothing was changed.
            TooManyJobs: no more jobs may be made; nothing was changed.
        """
        found = await self._accounts(payer)
        _require(found, estimate_ms)
        for account in found:
            amount = account.limit.unit.need(estimate_ms)
            entry = await self._entry(account, amount)
            began = self._now if account.window.began_at_ms is None else None
            self._book(batch, account, entry, began_at_ms=began, reserved=amount)
            ledger.enter(batch, "reserve", job_id, entry, self._now)

    def settle(
        self, batch: WriteBatch, job_id: str, held: Iterable[Reservation], actual_ms: int
    ) -> int:
        """End the reservations of a job: commit ``actual_ms``, or refund all where it is 0.

        A job that was charged counts as one where jobs are counted. Call :meth:`forget_unused` when
        the batch is sent.

        Returns:
            What was charged: at most ``charge_percent`` of the reservation, but in full what a
            lender counted.
        """
        estimate_ms = max(one.amount for one in held if one.unit == Unit.GPU_MS)
        most_ms = estimate_ms * self._rules.charge_percent // 100
        lent = isinstance(actual_ms, LentMs)
        charged = int(max(0, actual_ms if lent else min(actual_ms, most_ms)))
        for one in held:
            counted = charged if one.unit == Unit.GPU_MS else one.amount
            self._end(batch, job_id, one, counted if charged else 0)
        return charged

    async def forget_unused(self, held: Iterable[Reservation]) -> None:
        """Forget whose the accounts of these reservations are, where nothing was used in them."""
        forgotten = {limit.name for limit in self._rules.table if limit.forgotten}
        for one in held:
            if one.limit_name in forgotten:
                await pseudonyms.forget_unused(self._connection, one.limit_name, one.account_key)

    async def grant(self, payer: Payer, amount: int, name: str = "") -> None:
        """Give more (or, below 0, less) for the current window, or the next where none runs.

        ``name`` is the limit, that of the account that pays where empty.
        """
        found = await self._accounts(payer)
        account = next(one for one in found if name in {"", one.limit.name})
        entry, batch = await self._entry(account, amount), WriteBatch()
        self._book(batch, account, entry, granted=amount)
        ledger.enter(batch, "grant", None, entry, self._now)
        await batch.send(self._connection)

    async def forget(self) -> None:
        """Forget whose the windows are that may not be known after their end."""
        for limit in self._rules.table:
            if limit.forgotten:
                began = self._now - limit.window(self._rules).length_ms
                await pseudonyms.forget(self._connection, limit.name, began)

    async def share_out(self, keys: list[str]) -> None:
        """Let each of ``keys`` carry what the others spent, and what all of them carried so far."""
        for limit in self._rules.table:
            if limit.joined:
                owed = await self._owed(limit, keys)
                for key in keys:
                    await self._carry(limit, key, owed)

    async def move_place(self, old: str, new: str) -> None:
        """Let a place carry under its new name what it spent under the old one."""
        for limit in self._rules.table:
            if limit.moved:
                await self._carry(limit, new, await self._owed(limit, [old]))

    async def _accounts(self, payer: Payer) -> list[LimitAccount]:
        """Find every limit that applies, in the order of the table."""
        found: dict[str, LimitAccount] = {}
        for limit in self._rules.table:
            subject, amount = limit.account(payer), limit.amount(self._rules, payer)
            if subject is not None and amount is not None:
                outer = found.get(limit.within)
                found[limit.name] = await self._account(limit, subject, amount, outer)
        return list(found.values())

    async def _account(
        self, limit: Limit, subject: str, amount: int, outer: LimitAccount | None
    ) -> LimitAccount:
        key = subject
        if limit.forgotten:
            key = await pseudonyms.read(self._connection, limit.name, subject) or ""
        window, kept = await self._read_window(limit, key, outer)
        named = key if kept or not limit.forgotten else None
        balance = await self._balance(limit, subject, amount, window)
        return LimitAccount(limit, subject, named, window, kept, balance)

    async def _read_window(
        self, limit: Limit, key: str, outer: LimitAccount | None = None
    ) -> tuple[QuotaWindow, bool]:
        """Read the window in force of an account, and whether it has a row."""
        newest = await ledger.newest_account(self._connection, limit.name, key) if key else None
        window = self._in_force(limit, newest, outer)
        if newest is None or newest.period <= window.period:
            return window, newest is not None and newest.period == window.period
        # the clock went back: an earlier window is in force again
        earlier = await ledger.account_in(self._connection, limit.name, key, window.period)
        if earlier is None:
            return window, False
        return replace(earlier, began_at_ms=window.began_at_ms), True

    def _in_force(
        self, limit: Limit, newest: QuotaWindow | None, outer: LimitAccount | None = None
    ) -> QuotaWindow:
        """Choose the window in force: the newest, or a fresh one after its end."""
        window = limit.window(self._rules)
        if outer is not None:
            period, began = outer.window.period, outer.window.began_at_ms
        elif window.by_calendar:
            number = self._now // window.length_ms
            period, began = number + 1, number * window.length_ms
        else:
            return _rolling(window.length_ms, newest, self._now)
        if newest is None or newest.period != period:
            return QuotaWindow(period, began)
        return replace(newest, began_at_ms=began)

    async def _balance(
        self, limit: Limit, subject: str, amount: int, window: QuotaWindow
    ) -> LimitBalance:
        """Weigh a window, with what counts besides it, against the amount."""
        granted, reserved, used = window.granted, window.reserved, window.used
        ends = self._ends(limit, window)
        keys = [subject]
        if limit.joined:
            keys = await accounts.keys_of(self._connection, subject)
            for key in keys:
                if key != subject:
                    other = await self._window_of(limit, key)
                    granted += other.granted
                    reserved += other.reserved
                    used += other.used
                    ends += self._ends(limit, other)
        if limit.joined or limit.moved:
            for owed in await accounts.carried_by(self._connection, limit.name, keys, self._now):
                used += owed.spent
                ends.append(owed.until_ms)
        whole = max(0, amount + granted)
        return LimitBalance(limit.name, whole, used, reserved, min(ends, default=None), limit.unit)

    async def _window_of(self, limit: Limit, key: str) -> QuotaWindow:
        return (await self._read_window(limit, key))[0]

    def _ends(self, limit: Limit, window: QuotaWindow) -> list[int]:
        began = window.began_at_ms
        return [] if began is None else [began + limit.window(self._rules).length_ms]

    async def _entry(self, account: LimitAccount, amount: int) -> Reservation:
        """Return an entry for the window of an account, which has a name in the ledger then."""
        name, key = account.limit.name, account.key
        if key is None:
            await self.forget()
            key = await pseudonyms.renew(self._connection, name, account.subject)
        return Reservation(name, key, account.window.period, account.limit.unit, amount)

    def _book(
        self,
        batch: WriteBatch,
        account: LimitAccount,
        entry: Reservation,
        *,
        began_at_ms: int | None = None,
        granted: int = 0,
        reserved: int = 0,
    ) -> None:
        """Add to the sums of an account's window, which has a row then."""
        more = {"granted": granted, "reserved": reserved}
        if account.kept:
            ledger.change(batch, entry, **more, began_at_ms=began_at_ms)
        else:
            ledger.add_account(batch, entry, began_at_ms or account.window.began_at_ms, **more)

    def _end(self, batch: WriteBatch, job_id: str, held: Reservation, charge: int) -> None:
        kind, amount = ("commit", charge) if charge else ("refund", held.amount)
        entry = Reservation(held.limit_name, held.account_key, held.period, held.unit, amount)
        ledger.enter(batch, kind, job_id, entry, self._now)
        ledger.change(batch, held, reserved=-held.amount, used=charge)

    async def _owed(self, limit: Limit, keys: list[str]) -> list[CarriedUse]:
        """Sum up what ``keys`` spent and carry, with the ends of those windows."""
        owed = await accounts.carried_by(self._connection, limit.name, keys, self._now)
        for key in keys:
            window = await self._window_of(limit, key)
            owed += [
                CarriedUse(key, window.spent, end)
                for end in self._ends(limit, window)
                if window.spent
            ]
        return owed

    async def _carry(self, limit: Limit, key: str, owed: Iterable[CarriedUse]) -> None:
        for one in owed:
            if one.source_key != key:
                await accounts.carry(self._connection, limit.name, key, one)


def _rolling(length_ms: int, newest: QuotaWindow | None, now: int) -> QuotaWindow:
    """Return the newest window while it lasts; it begins anew where everything was refunded."""
    if newest is None:
        return QuotaWindow(1, None)
    if not newest.spent:  # before its age: what was granted for it is not over
        return replace(newest, began_at_ms=None)
    began = newest.began_at_ms
    if began is not None and now >= began + length_ms:
        return QuotaWindow(newest.period + 1, None)
    return newest


def _view(found: Iterable[LimitAccount]) -> QuotaView:
    return QuotaView(tuple(account.balance for account in found))


def _require(found: Iterable[LimitAccount], estimate_ms: int) -> None:
    refusal = _view(found).refusal(estimate_ms)
    if refusal is not None:
        raise refusal
