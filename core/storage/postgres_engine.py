"""PostgreSQL: many connections, and one turn for whatever touches the order or the money.

A turn is an advisory lock that a transaction holds to its end: ``BEGIN IMMEDIATE`` again. Sums over
several rows are only right while nobody else changes one of them.
"""

import asyncio
import time
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from core.errors import ClapperError
from core.storage.addresses import PostgresAddress
from core.storage.engines import TransactionKind
from core.storage.postgres_trouble import first_line, postgres_problem
from core.storage.uncut_connection import UncutConnection

POOL_SIZE = 5
TURN_KEY = 0x636C6170706572  # "clapper": everybody who takes turns at one database
_WROTE, _USED_S = "clapper_wrote", "clapper_used"  # in a connection's own notes
FRESH_S = 1.0  # since its last use, in which a connection is taken for whole
_READS = ("SELECT", "BEGIN", "SHOW")
_BEGIN = {
    TransactionKind.TURN: f"BEGIN; SELECT pg_advisory_xact_lock({TURN_KEY})",
    TransactionKind.STEP: "BEGIN",
    TransactionKind.STATEMENT: "BEGIN",
    TransactionKind.SNAPSHOT: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
    " SET LOCAL idle_in_transaction_session_timeout = '60s'",  # who only reads holds nobody up
}
# A node that stands still in what changes rows holds everybody up: 3 s, and its connection ends.
_LIMITS = {
    "lock_timeout": "5s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "3s",
    "default_transaction_isolation": "read\\ committed",
}
SESSION: dict[str, Any] = {
    "options": " ".join(f"-c {name}={value}" for name, value in _LIMITS.items()),
    "application_name": "clapper",
    "connect_timeout": 5,  # s
    "tcp_user_timeout": 10_000,  # ms until what was sent and not acknowledged ends a connection
    "keepalives": 1,
    "keepalives_idle": 5,  # s
    "keepalives_interval": 2,
    "keepalives_count": 3,
}


def connection_options(address: PostgresAddress) -> dict[str, Any]:
    """Return what psycopg connects with."""
    where = address.url.translate_connect_args(username="user", database="dbname")
    return SESSION | where | dict(address.url.query)


class PostgresEngine:
    """A pool of connections to one server."""

    file = None  # what is written beside the tables is the server's business

    def __init__(self, address: PostgresAddress) -> None:
        """Take the address; nothing is opened before it is used."""
        self._server = address.server
        self._turn = asyncio.Lock()  # one connection of ours waits for the turn, not all of them
        self.engine = create_async_engine(
            address.url,
            isolation_level="AUTOCOMMIT",  # begun by us, together with the lock: one trip
            pool_size=POOL_SIZE,
            max_overflow=0,
            hide_parameters=True,  # errors are logged, and rows hold prompts
            connect_args=SESSION,
        )
        event.listen(self.engine.sync_engine, "connect", _prepare)
        event.listen(self.engine.sync_engine, "after_cursor_execute", _note_writing)
        event.listen(self.engine.sync_engine, "handle_error", _leave_values_out)

    def queue(self, kind: TransactionKind) -> AbstractAsyncContextManager[object]:
        """Return what a transaction of this process waits in before it takes a connection."""
        return self._turn if kind is TransactionKind.TURN else nullcontext()

    async def enter(self, connection: UncutConnection, kind: TransactionKind) -> None:
        """Open ``connection`` and begin, at a second one where the first was cut off while idle.

        Raises:
            DBAPIError: the server does not answer, or refuses.
        """
        await connection.start()
        try:
            await self._begin(connection, kind)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            await connection.rollback()
            await self._begin(connection, kind)

    async def _begin(self, connection: UncutConnection, kind: TransactionKind) -> None:
        await connection.begin()
        notes = _notes(connection.sync_connection)
        now_s = time.monotonic()
        used_s, notes[_USED_S] = notes.get(_USED_S, -FRESH_S), now_s
        # by itself a statement is a transaction; what was used just now is hardly cut off
        if kind is not TransactionKind.STATEMENT or now_s - used_s >= FRESH_S:
            await connection.exec_driver_sql(_BEGIN[kind])
        notes.pop(_WROTE, None)

    async def wrote(self, connection: UncutConnection) -> bool:
        """Tell whether a statement of this transaction changed rows."""
        return bool(_notes(connection.sync_connection).pop(_WROTE, False))

    def problem(self, error: BaseException) -> ClapperError | None:
        """Return our error for what PostgreSQL or the network reports."""
        return postgres_problem(error, self._server)

    async def empty_journal(self) -> bool:
        """Do nothing: what is deleted goes with the server's own vacuum and its journal."""
        return True

    async def shrink(self, connection: AsyncConnection, pages: int) -> bool:
        """Do nothing: the server's own vacuum uses pages again."""
        del connection, pages
        return False


def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    from core.storage.postgres_text import TextDumper

    driver: Any = connection.driver_connection  # pyright: ignore[reportAttributeAccessIssue]  # SQLAlchemy's own
    driver.adapters.register_dumper(str, TextDumper)


def _notes(connection: SyncConnection | None) -> dict[Any, Any]:
    return {} if connection is None else connection.info


def _note_writing(
    connection: SyncConnection,
    cursor: Any,  # noqa: ANN401  # of the driver
    statement: str,
    parameters: object,
    context: object,
    executemany: bool,  # noqa: FBT001  # SQLAlchemy's
) -> None:
    del parameters, context, executemany
    if cursor.rowcount != 0 and not statement.lstrip().startswith(_READS):
        connection.info[_WROTE] = True


def _leave_values_out(context: ExceptionContext) -> None:
    """Cut out of an error what PostgreSQL quotes of a row: it is logged, and rows hold prompts."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None:
            error.args = (first_line(error),)
