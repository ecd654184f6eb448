"""See that a database of PostgreSQL has our tables."""

from typing import TYPE_CHECKING

import sqlalchemy as sa

from core.errors.setup import BadConfiguration
from core.storage.addresses import VARIABLE
from core.storage.tables import job

if TYPE_CHECKING:
    from core.storage.database import Database


async def require_schema(database: "Database") -> bool:
    """Tell whether the tables are still empty.

    Raises:
        BadConfiguration: there are none, or the database keeps text in another encoding.
    """
    async with database.snapshot() as connection:
        encoding = await connection.scalar(sa.text("SHOW server_encoding"))
        if encoding != "UTF8":
            raise BadConfiguration(VARIABLE, f"its encoding is {encoding}; it has to be UTF8")
        found = await connection.scalar(sa.text("SELECT to_regclass('job')"))
        if found is None:
            raise BadConfiguration(VARIABLE, "there are no tables of Clapper in the database")
        return await connection.scalar(sa.select(job.c.seq).limit(1)) is None
