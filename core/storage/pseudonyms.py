"""Rows of what accounts are called whose owners are forgotten while the ledger stays."""

from secrets import token_hex

from sqlalchemy import Column, Table, Text, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.storage.dialects import upsert
from core.storage.tables import METADATA, RESERVE, WAITING, account, job, ledger

pseudonym = Table(
    "pseudonym",
    METADATA,
    Column("limit_name", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("account_key", Text, nullable=False, unique=True),
)


async def read(connection: AsyncConnection, limit_name: str, subject: str) -> str | None:
    """Read what the ledger calls ``subject``, None where it has no name there."""
    same = (pseudonym.c.limit_name == limit_name) & (pseudonym.c.subject == subject)
    return await connection.scalar(select(pseudonym.c.account_key).where(same))


async def renew(connection: AsyncConnection, limit_name: str, subject: str) -> str:
    """Give ``subject`` a new name in the ledger; nothing leads to an earlier one any more."""
    name = token_hex(16)
    values = {"limit_name": limit_name, "subject": subject, "account_key": name}
    await upsert(connection, pseudonym, [values])
    return name


async def waiting(connection: AsyncConnection, limit_name: str, subject: str) -> int:
    """Count the waiting jobs that reserved in the account of ``subject``."""
    query = (
        select(func.count())
        .select_from(pseudonym)
        .join(
            ledger,
            (ledger.c.limit_name == pseudonym.c.limit_name)
            & (ledger.c.account_key == pseudonym.c.account_key),
        )
        .join(job, job.c.id == ledger.c.job_id)
        .where(
            pseudonym.c.limit_name == limit_name, pseudonym.c.subject == subject, RESERVE, WAITING
        )
    )
    return (await connection.execute(query)).scalar_one()


async def forget_unused(connection: AsyncConnection, limit_name: str, account_key: str) -> None:
    """Forget whose an account is in which nothing is reserved and nothing was used."""
    await connection.execute(
        delete(pseudonym).where(
            pseudonym.c.limit_name == limit_name,
            pseudonym.c.account_key == account_key,
            ~select(account.c.period)
            .where(
                account.c.limit_name == limit_name,
                account.c.account_key == account_key,
                (account.c.reserved > 0) | (account.c.used > 0) | (account.c.granted != 0),
            )
            .exists(),
        )
    )


async def forget(connection: AsyncConnection, limit_name: str, began_before: int) -> None:
    """Forget whose the accounts are whose windows began before then (epoch ms), or at it."""
    over = (
        select(account.c.period)
        .where(
            account.c.limit_name == pseudonym.c.limit_name,
            account.c.account_key == pseudonym.c.account_key,
            account.c.began_at_ms <= began_before,
        )
        .exists()
    )
    await connection.execute(delete(pseudonym).where(pseudonym.c.limit_name == limit_name, over))
