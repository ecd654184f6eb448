"""How the engine connects to our database: as we do, each statement a transaction of its own."""

from typing import Any

from core.storage.addresses import PostgresAddress
from core.storage.postgres_engine import connection_options


class EngineConnections:
    """Connections for an engine that has a pool of its own."""

    def __init__(self, address: PostgresAddress) -> None:
        """Take the address of the server."""
        self._address = address

    def options(self) -> dict[str, Any]:
        """Return what psycopg connects with."""
        return connection_options(self._address)

    async def configure(self, connection: Any) -> None:  # noqa: ANN401  # psycopg's connection
        """Prepare a new connection."""
        await connection.set_autocommit(True)
        # what is lost with a server is made again from the jobs: nobody waits for its disk
        await connection.execute("SET synchronous_commit = off")
