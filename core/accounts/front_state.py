"""What fronts keep over a restart: plain JSON data under a name, such as a form half filled in."""

from collections.abc import Callable
from typing import Any

from core.domain.people import Requester
from core.storage import moderation as rows
from core.storage.database import Database


class FrontState:
    """Named data of each front; core looks into none of it."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        """Take the database and the time (epoch ms)."""
        self._database = database
        self._now = now

    async def remember(self, front: str, name: str, value: Any) -> None:  # noqa: ANN401  # plain JSON data
        """Keep plain JSON data for a front under a name; None forgets it."""
        async with self._database.transaction(turn=False) as connection:
            await rows.remember(connection, front, name, value, self._now())

    async def recall(self, front: str, name: str) -> Any:  # noqa: ANN401  # plain JSON data
        """Read what a front kept under a name, None where nothing is."""
        async with self._database.snapshot() as connection:
            return await rows.recall(connection, front, name)

    async def take(self, front: str, name: str) -> Any:  # noqa: ANN401  # plain JSON data
        """Forget what a front kept under a name, and return it to the one who is first.

        Returns:
            None where nothing is kept, or somebody else took it.
        """
        async with self._database.transaction(turn=False) as connection:
            return await rows.take(connection, front, name)

    async def recall_all(self, front: str) -> dict[str, Any]:
        """Read everything that a front kept, by name, the oldest first."""
        async with self._database.snapshot() as connection:
            return await rows.recall_all(connection, front)

    async def forget(self, person: Requester) -> None:
        """Drop what the fronts of a platform keep of somebody.

        Those are named ``<platform>-…``, and a name of theirs that ends with ``:<user id>`` is of
        that person.
        """
        async with self._database.transaction(turn=False) as connection:
            await rows.forget_of(connection, person.platform, person.user_id)

    async def forget_older(self, front: str, age_ms: int) -> None:
        """Drop what a front kept and has not touched for ``age_ms``."""
        async with self._database.transaction(turn=False) as connection:
            await rows.forget_older(connection, front, self._now() - age_ms)
