"""A connection whose statements run to their end, however often their caller is cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from sqlalchemy import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection

from core.runtime.tasks import wait_ended

T = TypeVar("T")


class UncutConnection(AsyncConnection):
    """A connection whose statements are never cut in half by a cancellation.

    SQLAlchemy gives up a connection that is cancelled inside a statement, while the driver's
    thread still holds its write lock: everybody after it would find the database locked.
    """

    async def leave(self, *, keep: bool) -> None:
        """End the transaction, and give the connection back."""
        if self.sync_connection is None:
            return
        try:
            await (self.commit() if keep else self.rollback())
        finally:
            await self.close()

    async def execute(  # pyright: ignore[reportIncompatibleMethodOverride]  # passes on what it got
        self,
        *args: Any,  # noqa: ANN401  # whatever SQLAlchemy takes
        **options: Any,  # noqa: ANN401  # the same
    ) -> CursorResult[Any]:
        """Execute a statement to its end."""
        return await whole(super().execute(*args, **options))

    async def exec_driver_sql(
        self,
        *args: Any,  # noqa: ANN401  # whatever SQLAlchemy takes
        **options: Any,  # noqa: ANN401  # the same
    ) -> CursorResult[Any]:
        """Execute plain SQL to its end."""
        return await whole(super().exec_driver_sql(*args, **options))


async def whole(call: Coroutine[Any, Any, T]) -> T:
    """Run ``call`` to its end however often the caller is cancelled; then the cancel goes on.

    Raises:
        CancelledError: the caller was cancelled; ``call`` is over.
    """
    task = asyncio.ensure_future(call)
    cancelled = await wait_ended(task)
    if cancelled is not None and (task.cancelled() or task.exception() is None):
        raise cancelled
    return task.result()
