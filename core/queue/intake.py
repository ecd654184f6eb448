"""Whether new jobs are accepted: open, paused or draining."""

from typing import Literal, TypeAlias, cast, get_args

from core.storage import jobs as rows
from core.storage.database import Connection, Database

Intake: TypeAlias = Literal["open", "paused", "draining"]
_INTAKE = "intake"  # the name of a row of the table setting


class IntakeSwitch:
    """The operator's switch; it lies in the database, and everybody reads it there."""

    def __init__(self, database: Database) -> None:
        """Take the database; the switch is where it was left."""
        self._database = database

    async def intake(self) -> Intake:
        """Read whether new jobs are accepted."""
        async with self._database.snapshot() as connection:
            return await read_intake(connection)

    async def set_intake(self, state: Intake) -> None:
        """Accept new jobs or not; accepted ones go on. ``paused`` survives a restart."""
        async with self._database.transaction() as connection:
            await write_intake(connection, state)


async def read_intake(connection: Connection) -> Intake:
    """Read whether new jobs are accepted; they are until somebody says otherwise.

    A word of another version says otherwise: that is a pause, which an operator sees and ends.
    """
    found = await rows.read_setting(connection, _INTAKE) or "open"
    return cast("Intake", found) if found in get_args(Intake) else "paused"


async def write_intake(connection: Connection, state: Intake) -> None:
    """Accept new jobs or not."""
    await rows.write_setting(connection, _INTAKE, state)
