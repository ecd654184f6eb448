"""Remember what keeps rows from being read or written, until it is known to be over."""

import structlog
from sqlalchemy import delete, insert

from core.storage.engines import Connection
from core.storage.tables import setting

log = structlog.get_logger(__name__)

_PROBE = "probe"  # a name among the settings, which no committed row has


class KnownTrouble:
    """The last cause. Its beginning and end are logged, not every transaction that it stops."""

    def __init__(self) -> None:
        self.code: str | None = None
        self.of_writes = False  # reads say nothing of it: a full disk is read from as ever

    def met(self, code: str, *, of_writes: bool) -> None:
        """Note that a transaction failed of ``code``; ``of_writes``: when it might have written."""
        if code != self.code:
            log.warning("storage_trouble", cause=code)
        self.code, self.of_writes = code, of_writes

    def passed(self, *, wrote: bool) -> None:
        """Note that a transaction succeeded; ``wrote``: with rows of its own on the disk."""
        if self.code is not None and (wrote or not self.of_writes):
            log.warning("storage_trouble_over", cause=self.code)
            self.code = None


async def write_and_forget(connection: Connection) -> None:
    """Write to the disk at the end of the transaction, and change nothing."""
    await connection.execute(insert(setting).values(name=_PROBE, value=""))
    await connection.execute(delete(setting).where(setting.c.name == _PROBE))
