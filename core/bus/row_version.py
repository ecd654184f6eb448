"""A number that tells who read rows whether they may have changed since."""

import time
from collections.abc import Callable

from core.storage.database import Database

AGE_S = 1.0  # messages of other processes may be lost: nothing read is older than this


class RowVersion:
    """Differs whenever a row may have changed, where this process alone changes them."""

    def __init__(self, database: Database) -> None:
        """Take the rows."""
        self._database = database

    def __call__(self) -> int:
        """Return the number; it only grows."""
        return self._database.version

    def changed(self) -> None:
        """Do nothing: nobody else changes rows."""


class SharedRowVersion(RowVersion):
    """The same where other processes change them too."""

    def __init__(self, database: Database, seconds: Callable[[], float] = time.monotonic) -> None:
        """Take the rows, and a clock that only goes forward."""
        super().__init__(database)
        self._seconds = seconds
        self._heard = 0

    def __call__(self) -> int:
        """Return the number; it only grows, at least once in a second."""
        return super().__call__() + self._heard + int(self._seconds() / AGE_S)

    def changed(self) -> None:
        """Note that another process told of a change."""
        self._heard += 1
