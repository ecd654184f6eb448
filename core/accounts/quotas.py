"""What a requester may spend: GPU-milliseconds in a window that begins with its first use.

A job reserves its estimate; its end commits what it took or refunds all of it, in the window of
the reservation, also where another one has begun meanwhile.

All keys of a person have one budget: the sum of their windows against one allowance. Every key
keeps a window of its own in the ledger, so nothing moves when people join. After they part, each
carries what the others had spent until that window ends.
"""

from dataclasses import dataclass, replace

from core.domain.jobs import NetworkQuota, QuotaView
from core.domain.people import GUESTS, Payer, Requester
from core.runtime.clock import Clock, now_ms
from core.storage import accounts, ledger, networks
from core.storage.database import Connection, Database
from core.storage.records import QuotaWindow

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class QuotaRules:
    """Allowance of a window, in GPU-milliseconds, and its length in milliseconds."""

    limit_ms: int = 20 * 60_000
    guests_ms: int = 20 * 60_000  # of all guests together
    network_ms: int = 5 * 60_000  # of it, of the guests of one network
    window_ms: int = 24 * HOUR_MS
    charge_percent: int = 125  # of the estimate; a job never costs more

    def limit_of(self, payer: Payer) -> int:
        """Return the allowance of ``payer``: one of its own never exceeds the usual one."""
        if payer.shared:
            return self.guests_ms
        return self.limit_ms if payer.limit_ms is None else min(self.limit_ms, payer.limit_ms)


class Quotas:
    """What people may spend, asked and changed from outside a job."""

    def __init__(self, database: Database, rules: QuotaRules, clock: Clock = now_ms) -> None:
        """Take the database and the limits."""
        self._database = database
        self._rules = rules
        self._clock = clock

    async def quota(self, requester: Requester, payer: Payer | None = None) -> QuotaView:
        """Read what ``requester`` may still spend from the account of ``payer``."""
        pays = payer or Payer.of(requester)
        async with self._database.transaction() as connection:
            return await view(connection, self._rules, pays, self._clock())

    async def grant(self, requester: Requester, amount_ms: int) -> None:
        """Give ``requester`` more GPU-milliseconds in its window, or less where below 0.

        What is given to a guest is given to all of them: they have one account.
        """
        key = Payer.of(requester).key
        async with self._database.transaction() as connection:
            await grant(connection, self._rules, key, amount_ms, self._clock())


async def current(
    connection: Connection, rules: QuotaRules, user_key: str, now: int
) -> QuotaWindow:
    """Read the window of ``user_key`` that is in force."""
    return _window(await ledger.newest_account(connection, user_key), rules, now)


async def view(connection: Connection, rules: QuotaRules, payer: Payer, now: int) -> QuotaView:
    """Read what ``payer`` may still spend, with what other keys of the person spent."""
    window = await current(connection, rules, payer.key, now)
    return await _seen(connection, rules, payer, window, now)


async def _seen(
    connection: Connection, rules: QuotaRules, payer: Payer, window: QuotaWindow, now: int
) -> QuotaView:
    began, limit = window.began_at_ms, rules.limit_of(payer) + window.granted_ms
    network = None
    if payer.network:
        used = await networks.used(connection, payer.network, window.period)
        network = NetworkQuota(rules.network_ms, used)
    seen = QuotaView(
        max(0, limit),
        window.used_ms,
        window.reserved_ms,
        None if began is None else began + rules.window_ms,
        payer.shared,
        network,
    )
    if payer.shared:
        return seen
    return _with(seen, await other_use(connection, rules, payer.key, now))


def _with(own: QuotaView, other: "OtherUse") -> QuotaView:
    ends = [end for end in (own.resets_at_ms, other.until_ms) if end is not None]
    return replace(
        own,
        limit_ms=max(0, own.limit_ms + other.granted_ms),
        used_ms=own.used_ms + other.used_ms,
        reserved_ms=own.reserved_ms + other.reserved_ms,
        resets_at_ms=min(ends, default=None),
    )


async def reserve(
    connection: Connection,
    rules: QuotaRules,
    payer: Payer,
    job_id: str,
    estimate_ms: int,
    now: int,
) -> None:
    """Set ``estimate_ms`` aside for a job; the first use of a window begins it.

    Raises:
        QuotaExceeded: more than is left; nothing was changed.
    """
    newest = await ledger.newest_account(connection, payer.key)
    window = _window(newest, rules, now)
    refusal = (await _seen(connection, rules, payer, window, now)).refusal(estimate_ms)
    if refusal is not None:
        raise refusal
    if newest is None or newest.period != window.period:
        await ledger.add_account(connection, payer.key, window.period)
    if window.began_at_ms is None:
        await ledger.begin_account(connection, payer.key, window.period, now)
    await ledger.enter(connection, "reserve", job_id, payer.key, window.period, estimate_ms, now)
    await ledger.change(connection, payer.key, window.period, reserved_ms=estimate_ms)
    if payer.network:
        await networks.add(connection, job_id, payer.network, window.period, estimate_ms)


async def forget_networks(connection: Connection, rules: QuotaRules, now: int) -> None:
    """Forget which networks guests came from, once the window that they count in is over."""
    newest = await ledger.newest_account(connection, GUESTS)
    if newest is not None:
        await networks.forget(connection, _window(newest, rules, now).period - 1)


async def settle(
    connection: Connection, rules: QuotaRules, job_id: str, actual_ms: int, now: int
) -> int:
    """End the reservation of a job: commit ``actual_ms``, or refund everything where it is 0.

    Returns:
        What was charged: at most ``charge_percent`` of the reservation.
    """
    held = await ledger.reserve_of(connection, job_id)
    charge = max(0, min(actual_ms, held.amount_ms * rules.charge_percent // 100))
    kind, amount = ("commit", charge) if charge else ("refund", held.amount_ms)
    await ledger.enter(connection, kind, job_id, held.user_key, held.period, amount, now)
    await ledger.change(
        connection, held.user_key, held.period, reserved_ms=-held.amount_ms, used_ms=charge
    )
    await networks.settle(connection, job_id, charge)
    return charge


async def grant(
    connection: Connection, rules: QuotaRules, user_key: str, amount_ms: int, now: int
) -> None:
    """Give more (or, below 0, less) for the current window, or the next where none runs."""
    newest = await ledger.newest_account(connection, user_key)
    period = _window(newest, rules, now).period
    if newest is None or newest.period != period:
        await ledger.add_account(connection, user_key, period)
    await ledger.enter(connection, "grant", None, user_key, period, amount_ms, now)
    await ledger.change(connection, user_key, period, granted_ms=amount_ms)


def _window(newest: QuotaWindow | None, rules: QuotaRules, now: int) -> QuotaWindow:
    """Choose the window in force: the newest, or a fresh one after its end."""
    if newest is None:
        return QuotaWindow(1, None, 0, 0, 0)
    began = newest.began_at_ms
    if began is not None and now >= began + rules.window_ms:
        return QuotaWindow(newest.period + 1, None, 0, 0, 0)
    if newest.reserved_ms == 0 and newest.used_ms == 0:
        began = None  # everything was refunded: it begins with the next use
    return QuotaWindow(newest.period, began, newest.granted_ms, newest.reserved_ms, newest.used_ms)


@dataclass(frozen=True, slots=True)
class OtherUse:
    """What counts for a key besides its own window, in GPU-milliseconds; ends are epoch ms."""

    granted_ms: int = 0
    reserved_ms: int = 0
    used_ms: int = 0
    until_ms: int | None = None  # when the first of it counts no more


async def other_use(connection: Connection, rules: QuotaRules, user_key: str, now: int) -> OtherUse:
    """Sum up what the other keys of a person spent and were granted."""
    keys = await accounts.keys_of(connection, user_key)
    granted = reserved = used = 0
    ends: list[int] = []
    for key in keys:
        if key == user_key:
            continue
        window = await current(connection, rules, key, now)
        granted += window.granted_ms
        reserved += window.reserved_ms
        used += window.used_ms
        if window.began_at_ms is not None:
            ends.append(window.began_at_ms + rules.window_ms)
    for _, spent_ms, until_ms in await accounts.carried_by(connection, keys, now):
        used += spent_ms
        ends.append(until_ms)
    return OtherUse(granted, reserved, used, min(ends, default=None))


async def share_out(connection: Connection, rules: QuotaRules, keys: list[str], now: int) -> None:
    """Let each of ``keys`` carry what the others spent, and what all of them carried so far."""
    owed = await accounts.carried_by(connection, keys, now)
    for key in keys:
        window = await current(connection, rules, key, now)
        spent = window.used_ms + window.reserved_ms
        if spent and window.began_at_ms is not None:
            owed.append((key, spent, window.began_at_ms + rules.window_ms))
    for key in keys:
        for source, spent, until in owed:
            if source != key:
                await accounts.carry(connection, key, source, spent, until)
