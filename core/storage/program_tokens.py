"""Rows of tokens that operators gave to programs. Functions on a connection."""

from dataclasses import dataclass, field

from sqlalchemy import Column, Row, Table, Text, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.storage.tables import INTEGER, METADATA

program_token = Table(
    "program_token",
    METADATA,
    Column("prefix", Text, primary_key=True),  # the beginning of the token, by which it is known
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),  # words with spaces between
    Column("limit_ms", INTEGER),
    Column("webhook", Text, nullable=False),
    Column("webhook_secret", Text, nullable=False),
    Column("created_at_ms", INTEGER, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at_ms", INTEGER),
    Column("revoked_at_ms", INTEGER),
    Column("used_at_ms", INTEGER),
)


@dataclass(frozen=True, slots=True)
class ProgramTokenRow:
    """A token of a program; times are epoch milliseconds."""

    prefix: str
    name: str  # whose it is: several tokens of one name have the same jobs
    digest: str = field(repr=False)
    scopes: str
    limit_ms: int | None  # GPU-milliseconds of a window; None: the usual
    webhook: str  # where ends of jobs are told unless a job says another address; empty: nowhere
    webhook_secret: str = field(repr=False)  # signs what is told; it has to be known to sign
    created_at_ms: int
    created_by: str  # an operator's key
    expires_at_ms: int | None = None
    revoked_at_ms: int | None = None
    used_at_ms: int | None = None  # within the hour

    def works(self, now: int) -> bool:
        """Tell whether the token may be used at ``now``."""
        over = self.expires_at_ms is not None and self.expires_at_ms <= now
        return self.revoked_at_ms is None and not over


async def add(connection: AsyncConnection, row: ProgramTokenRow) -> None:
    """Write a new token."""
    values = {column.name: getattr(row, column.name) for column in program_token.columns}
    await connection.execute(insert(program_token).values(values))


async def with_digest(connection: AsyncConnection, digest: str) -> ProgramTokenRow | None:
    """Read the token with this digest, also one that is over."""
    query = select(program_token).where(program_token.c.digest == digest)
    row = (await connection.execute(query)).first()
    return None if row is None else _token(row)


async def with_prefix(connection: AsyncConnection, prefix: str) -> ProgramTokenRow | None:
    """Read the token that begins so, also one that is over."""
    query = select(program_token).where(program_token.c.prefix == prefix)
    row = (await connection.execute(query)).first()
    return None if row is None else _token(row)


async def every(connection: AsyncConnection) -> list[ProgramTokenRow]:
    """Read all tokens, the newest first."""
    order = (program_token.c.created_at_ms.desc(), program_token.c.prefix)
    found = await connection.execute(select(program_token).order_by(*order))
    return [_token(row) for row in found]


async def revoke(connection: AsyncConnection, named: str, now: int) -> list[ProgramTokenRow]:
    """End the token with this prefix, or all of this name; return those that worked till now."""
    chosen = (program_token.c.prefix == named) | (program_token.c.name == named)
    works = chosen & program_token.c.revoked_at_ms.is_(None)
    found = [_token(row) for row in await connection.execute(select(program_token).where(works))]
    await connection.execute(update(program_token).where(works).values(revoked_at_ms=now))
    return found


async def note_use(connection: AsyncConnection, prefix: str, now: int) -> None:
    """Write when the token was used last."""
    own = program_token.c.prefix == prefix
    await connection.execute(update(program_token).where(own).values(used_at_ms=now))


def _token(row: Row[tuple[object, ...]]) -> ProgramTokenRow:
    return ProgramTokenRow(**{column.name: getattr(row, column.name) for column in program_token.c})
