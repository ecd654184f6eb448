"""Rows of what nodes without a key want signed for the bucket, beside the messages about it.

A message may be lost, and all of them where nothing carries them; then the rows do, a little later.
"""

from collections.abc import Callable

from sqlalchemy import delete, insert, select, update

from core.storage.cluster_tables import bucket_wish
from core.storage.database import Database

MOST = 32  # questions that are read at a time
KEPT_MS = 600_000  # who asked is gone by then


class BucketWishes:
    """Questions and answers, as texts."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        """Take the rows and the time, epoch milliseconds."""
        self._database = database
        self._clock = clock

    async def ask(self, question_id: str, question: str) -> None:
        """Write a question."""
        values = {"id": question_id, "question": question, "asked_at_ms": self._clock()}
        async with self._database.transaction(turn=False) as connection:
            await connection.execute(insert(bucket_wish).values(**values))

    async def answer_to(self, question_id: str) -> str | None:
        """Read the answer to a question; None before there is one."""
        wanted = select(bucket_wish.c.answer).where(bucket_wish.c.id == question_id)
        async with self._database.snapshot() as connection:
            return await connection.scalar(wanted)

    async def forget(self, question_id: str) -> None:
        """Delete a question and its answer."""
        async with self._database.transaction(turn=False) as connection:
            await connection.execute(delete(bucket_wish).where(bucket_wish.c.id == question_id))

    async def unanswered(self) -> list[str]:
        """Read the oldest questions without an answer."""
        open_ones = (
            select(bucket_wish.c.question)
            .where(bucket_wish.c.answer.is_(None))
            .order_by(bucket_wish.c.asked_at_ms)
            .limit(MOST)
        )
        async with self._database.snapshot() as connection:
            return list(await connection.scalars(open_ones))

    async def answer(self, question_id: str, answer: str) -> None:
        """Write the answer to a question, and forget what nobody waits for any more."""
        asked = bucket_wish.c.id == question_id
        old = bucket_wish.c.asked_at_ms < self._clock() - KEPT_MS
        async with self._database.transaction(turn=False) as connection:
            await connection.execute(update(bucket_wish).where(asked).values(answer=answer))
            await connection.execute(delete(bucket_wish).where(old))
