"""What a database has to be able to do below :class:`core.storage.database.Database`.

One class for each dialect answers; nobody above asks which one it is.
"""

from contextlib import AbstractAsyncContextManager
from enum import Enum, auto
from pathlib import Path
from typing import Protocol, TypeAlias

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.errors import ClapperError
from core.storage.uncut_connection import UncutConnection

TROUBLES: tuple[type[Exception], ...] = (DBAPIError, PoolTimeout)  # what SQLAlchemy raises of them
Connection: TypeAlias = AsyncConnection  # what the functions of this package take first


class TransactionKind(Enum):
    """What a transaction may count on."""

    TURN = auto()  # nobody else changes anything that it reads, until it ends
    STEP = auto()  # each statement is whole by itself; others may change rows between two
    STATEMENT = auto()  # one statement, whole by itself
    SNAPSHOT = auto()  # reads only, all of it at one moment


class StorageEngine(Protocol):
    """The rows of one dialect."""

    @property
    def engine(self) -> AsyncEngine:
        """Return SQLAlchemy's engine."""
        ...

    @property
    def file(self) -> Path | None:
        """Return the one file with the rows, None where they are on a server."""
        ...

    def queue(self, kind: TransactionKind) -> AbstractAsyncContextManager[object]:
        """Return what a transaction of this process waits in before it takes a connection."""
        ...

    async def enter(self, connection: UncutConnection, kind: TransactionKind) -> None:
        """Open ``connection`` and begin a transaction."""
        ...

    async def wrote(self, connection: UncutConnection) -> bool:
        """Tell whether the transaction of ``connection``, about to be committed, changed rows."""
        ...

    def problem(self, error: BaseException) -> ClapperError | None:
        """Return our error for what ``error`` means, or None where it is a defect of ours."""
        ...

    async def empty_journal(self) -> bool:
        """Remove what is left of deleted rows beside the tables; False where a reader hinders."""
        ...

    async def shrink(self, connection: AsyncConnection, pages: int) -> bool:
        """Give at most ``pages`` unused pages back; tell whether there are more."""
        ...
