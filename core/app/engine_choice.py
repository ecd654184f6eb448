"""What calls for attempts and chores: the engine where the rows are on a server."""

from collections.abc import Callable, Sequence

from core.engine.engine_chores import EngineChores
from core.engine.token_driver import TokenDriver
from core.runtime.chores import ChoreRunner, LocalChores
from core.runtime.notifier import LocalDispatcher
from core.settings import Settings
from core.storage.addresses import is_postgres, postgres_address
from core.storage.database import Database
from core.storage.engine_connections import EngineConnections
from core.storage.work_tokens import WorkTokens
from core.worker.driver import Driver, LocalDriver


def driver_of(
    settings: Settings,
    database: Database,
    dispatcher: LocalDispatcher,
    devices: int,
    pools: Callable[[], Sequence[str]],
) -> Driver:
    """Return the driver for the rows in use: a file has one process, which looks for itself.

    ``pools`` tells whose jobs this process may make; pools appear and vanish, so it is asked again.
    """
    if not is_postgres(settings.database):
        return LocalDriver(dispatcher)
    return TokenDriver(_connections(settings), WorkTokens(database), pools, devices)


def chore_runner_of(settings: Settings, database: Database) -> ChoreRunner:
    """Return what has chores done; at a server they are done once for all processes there."""
    if not is_postgres(settings.database):
        return LocalChores()
    return EngineChores(_connections(settings), WorkTokens(database))


def _connections(settings: Settings) -> EngineConnections:
    return EngineConnections(
        postgres_address(settings.database, insecure=settings.database_insecure)
    )
