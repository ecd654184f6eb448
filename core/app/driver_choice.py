"""What calls for the attempts of the worker: the engine where the rows are on a server."""

from core.engine.token_driver import TokenDriver
from core.runtime.notifier import LocalDispatcher
from core.settings import Settings
from core.storage.addresses import is_postgres, postgres_address
from core.storage.database import Database
from core.storage.engine_connections import EngineConnections
from core.storage.work_tokens import WorkTokens
from core.worker.driver import Driver, LocalDriver

DEFAULT_POOL = "default"


def driver_of(
    settings: Settings, database: Database, dispatcher: LocalDispatcher, devices: int
) -> Driver:
    """Return the driver for the rows in use: a file has one process, which looks for itself."""
    if not is_postgres(settings.database):
        return LocalDriver(dispatcher)
    address = postgres_address(settings.database, insecure=settings.database_insecure)
    return TokenDriver(EngineConnections(address), WorkTokens(database), DEFAULT_POOL, devices)
