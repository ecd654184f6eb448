"""Move the rows of a stopped service from a file of SQLite to a server of PostgreSQL.

Clips and inputs stay where they are: rows name them relative to the data directory.
"""

import asyncio
from pathlib import Path

from core.app.self_check import contradictions
from core.errors.moving import RowsContradict, SourceAbsent
from core.runtime.paths import address_of, readable
from core.settings import Settings
from core.storage.addresses import postgres_address
from core.storage.database import Database, open_database
from core.storage.database_copy import CopiedRows, Tell, copy_rows
from core.storage.database_owner import is_database_of_ours
from core.storage.postgres_migrations import migrate_server
from core.storage.trouble import named_troubles


async def move_rows(settings: Settings, source: Path, target: str, tell: Tell) -> CopiedRows:
    """Copy all rows of ``source`` to the server ``target``, and check them on both sides.

    Broken off, it goes on where it was; done, it finds nothing to do.

    Args:
        settings: of the installation; its service does not run.
        source: a file of SQLite. It is brought to the newest schema, and not changed otherwise.
        target: the address of a database that is empty, or holds a part of these rows.
        tell: is called with a table and a number of rows, as they are written.

    Raises:
        SourceAbsent: there is no such database.
        RowsContradict: the rows contradict each other, before or after.
        SourceNotDrained: something was under way when the service ended.
        TargetTaken: the target holds other rows; nothing was changed.
        TargetInUse: a service uses the target.
        RowNotMovable: the target does not take a row.
        DataDirectoryBusy: the service runs.
        DatabaseInUse: the service runs, from another data directory.
        StorageProblem: the source cannot be read.
        ServerProblem: the server does not answer, or refuses.
        BadConfiguration: the target is no address of a server.
    """
    address = postgres_address(target, insecure=settings.database_insecure)
    with named_troubles(source):
        if not is_database_of_ours(source):
            raise SourceAbsent(readable(source))
        async with open_database(address_of(source), settings.data_dir) as database:
            await _require_harmony(database)
            await asyncio.to_thread(migrate_server, address)
            copied = await asyncio.to_thread(copy_rows, source, address, tell)
    copy = Database(target, insecure=settings.database_insecure)
    try:
        with named_troubles(settings.data_dir):
            await _require_harmony(copy)
    finally:
        await copy.close()
    return copied


async def _require_harmony(database: Database) -> None:
    """Check all rows.

    Raises:
        RowsContradict: some contradict each other.
    """
    found = await contradictions(database)
    if found:
        raise RowsContradict(len(found), str(found[0]))
