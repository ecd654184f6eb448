"""Whether new jobs are accepted: open, paused or draining."""

from typing import Literal, TypeAlias, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from core.storage import jobs as rows

Intake: TypeAlias = Literal["open", "paused", "draining"]
_INTAKE = "intake"  # the name of a row of the table setting


async def read_intake(connection: AsyncConnection) -> Intake:
    """Return whether new jobs are accepted; they are until somebody says otherwise."""
    return cast("Intake", await rows.read_setting(connection, _INTAKE) or "open")


async def write_intake(connection: AsyncConnection, state: Intake) -> None:
    """Accept new jobs or not."""
    await rows.write_setting(connection, _INTAKE, state)
