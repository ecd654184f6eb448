"""Look at the schema of the database in use, and bring it to the newest one."""

import asyncio
from dataclasses import dataclass

from core.app.maintenance import make_folders
from core.runtime.paths import readable
from core.settings import Settings
from core.storage.addresses import database_file, postgres_address
from core.storage.database import Database
from core.storage.lock import lock, lock_database
from core.storage.migration_files import POSTGRESQL, SQLITE, SchemaState
from core.storage.migrations import migrate, read_file_state
from core.storage.postgres_migrations import migrate_server
from core.storage.postgres_schema import read_state
from core.storage.trouble import named_troubles


@dataclass(frozen=True, slots=True)
class DatabaseLook:
    """Which database is in use, and how far it is."""

    dialect: str
    place: str  # a file, or a server without account and password
    state: SchemaState


async def look_at_database(settings: Settings) -> DatabaseLook:
    """Read how far the database is, beside whoever uses it.

    Raises:
        SchemaTooNew: a newer Clapper wrote it.
        MigrationChanged: its schema is none of ours.
        StorageProblem: the file cannot be read.
        ServerProblem: the server does not answer, or refuses.
    """
    file = database_file(settings.database)
    if file is not None:
        return DatabaseLook(SQLITE, readable(file), read_file_state(file))
    server = postgres_address(settings.database, insecure=settings.database_insecure).server
    database = Database(settings.database, insecure=settings.database_insecure)
    try:
        with named_troubles(settings.data_dir):
            async with database.snapshot() as connection:
                return DatabaseLook(POSTGRESQL, server, await read_state(connection))
    finally:
        await database.close()


async def migrate_database(settings: Settings) -> list[str]:
    """Apply the migrations that are missing; return their names.

    A server is migrated beside the nodes that use it; a file only while nobody does.

    Raises:
        DataDirectoryBusy: the service uses the file.
        DatabaseInUse: another one does.
        SchemaTooNew: a newer Clapper wrote it.
        MigrationChanged: its schema is none of ours.
        StorageProblem: the file cannot be read or written.
        ServerProblem: the server does not answer, or refuses.
    """
    file = database_file(settings.database)
    if file is None:
        address = postgres_address(settings.database, insecure=settings.database_insecure)
        return await asyncio.to_thread(migrate_server, address)
    make_folders(settings)
    with lock(settings.data_dir), lock_database(file):
        return await asyncio.to_thread(migrate, file)
