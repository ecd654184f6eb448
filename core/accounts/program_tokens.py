"""Tokens for programs: given and ended by operators, known again by their digest alone.

Tokens of one name are one account: a second one can be given before the first is ended, and the
program keeps its jobs. What a token may do and spend is its own.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from secrets import token_hex, token_urlsafe

from core.domain.people import Payer, Requester
from core.domain.time_units import DAY_MS, HOUR_MS
from core.errors import NotAChoice
from core.errors.programs import TokenNameUnfit, TokenUnknown
from core.storage import moderation
from core.storage import program_tokens as rows
from core.storage.database import Database
from core.storage.program_tokens import ProgramTokenRow

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
TOKEN = re.compile(r"(clapper_[0-9a-f]{8})_[A-Za-z0-9_-]{43}")
PLATFORM, ACCOUNT = "studio", "token-"  # of the account: studio:token-NAME
_USE_MS = HOUR_MS  # a use is written down once an hour: it is a write of the database


class TokenScope(StrEnum):
    """What a token may do."""

    SUBMIT = "submit"  # ask for clips, send files
    READ = "read"  # see own jobs, clips and quota
    CANCEL = "cancel"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class TokenOrder:
    """What an operator wants of a new token."""

    name: str
    scopes: frozenset[TokenScope] = frozenset(TokenScope)
    limit_ms: int | None = None  # GPU-milliseconds of a window; None: the usual
    days: float | None = None  # until it ends by itself; None: never
    webhook: str = ""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token and the secret of its webhooks, which are shown this once."""

    row: ProgramTokenRow
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Program:
    """A program that showed a token that works."""

    name: str
    prefix: str
    scopes: frozenset[str]
    limit_ms: int | None = None
    webhook: str = ""

    @property
    def requester(self) -> Requester:
        """Return whose its jobs are."""
        return Requester(PLATFORM, ACCOUNT + self.name)

    @property
    def payer(self) -> Payer:
        """Return the account that pays, with what the operator gave it."""
        return Payer(self.requester.key, self.limit_ms, raised=self.limit_ms is not None)


class KnownPrograms:
    """Knows programs by their tokens; gives none."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        """Take the database and the time (epoch ms)."""
        self._database = database
        self._now = now

    async def program_of(self, token: str) -> Program | None:
        """Return whose ``token`` is; None where it is none, or over, or revoked."""
        if not TOKEN.fullmatch(token):
            return None
        digest, now = _digest(token), self._now()
        async with self._database.snapshot() as connection:
            row = await rows.with_digest(connection, digest)
        if row is None or not hmac.compare_digest(row.digest, digest) or not row.works(now):
            return None
        if row.used_at_ms is None or not 0 <= now - row.used_at_ms < _USE_MS:
            async with self._database.statement() as connection:
                await rows.note_use(connection, row.prefix, now)
        scopes = frozenset(row.scopes.split())
        return Program(row.name, row.prefix, scopes, row.limit_ms, row.webhook)

    async def signing_secret(self, prefix: str) -> str | None:
        """Return what signs messages to the program with this token; None once it is revoked.

        A token that ended by itself still signs: its jobs may be under way.
        """
        async with self._database.snapshot() as connection:
            row = await rows.with_prefix(connection, prefix)
        return None if row is None or row.revoked_at_ms is not None else row.webhook_secret


class ProgramTokens(KnownPrograms):
    """Gives tokens and ends them; a token itself is kept nowhere."""

    async def issue(self, actor: Requester, order: TokenOrder) -> IssuedToken:
        """Make a token.

        Raises:
            TokenNameUnfit: an account cannot be called so.
        """
        if not NAME.fullmatch(order.name):
            raise TokenNameUnfit(order.name[:40])
        prefix, now = f"clapper_{token_hex(4)}", self._now()
        token = f"{prefix}_{token_urlsafe(32)}"
        row = ProgramTokenRow(
            prefix=prefix,
            name=order.name,
            digest=_digest(token),
            scopes=" ".join(sorted(order.scopes)),
            limit_ms=order.limit_ms,
            webhook=order.webhook,
            webhook_secret=f"whsec_{token_urlsafe(32)}",
            created_at_ms=now,
            created_by=actor.key,
            expires_at_ms=None if order.days is None else now + round(order.days * DAY_MS),
        )
        async with self._database.transaction() as connection:
            await rows.add(connection, row)
            detail = f"{prefix} {row.scopes}"
            await moderation.note(connection, now, actor.key, "issue_token", order.name, detail)
        return IssuedToken(row, token)

    async def revoke(self, actor: Requester, named: str) -> list[ProgramTokenRow]:
        """End the token that begins so, or all tokens of a name, from the next request on.

        Raises:
            TokenUnknown: none that works is called so.
        """
        now = self._now()
        async with self._database.transaction() as connection:
            ended = await rows.revoke(connection, named, now)
            for row in ended:
                verb = "revoke_token"
                await moderation.note(connection, now, actor.key, verb, row.name, row.prefix)
        if not ended:
            raise TokenUnknown(named[:60])
        return ended

    async def known(self) -> list[ProgramTokenRow]:
        """List all that were ever given, the newest first."""
        async with self._database.snapshot() as connection:
            return await rows.every(connection)


def parse_scopes(words: Iterable[str]) -> frozenset[TokenScope]:
    """Read scopes as people type them; nothing means all.

    Raises:
        NotAChoice: there is no such scope.
    """
    typed = [word.strip().lower() for word in words if word.strip()]
    unknown = next((word for word in typed if word not in set(TokenScope)), None)
    if unknown is not None:
        raise NotAChoice("scope", unknown[:40], ", ".join(TokenScope))
    return frozenset(map(TokenScope, typed)) or frozenset(TokenScope)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
