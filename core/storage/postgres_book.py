"""Which migrations a database of PostgreSQL has, and whether this program can use it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from core.errors.setup import SchemaTooNew
from core.storage.migration_files import Migration, compare, newest_of

TABLE_OF_BOOK = """
CREATE TABLE IF NOT EXISTS migration (
    number BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    oldest BIGINT NOT NULL DEFAULT 0
)
"""
READ_BOOK = sa.text("SELECT number, name, checksum, oldest FROM migration ORDER BY number")


@dataclass(frozen=True, slots=True)
class AppliedMigration:
    """A row of the book; ``oldest`` is the schema of the oldest program that can use it."""

    name: str
    checksum: str
    oldest: int


Book: TypeAlias = dict[int, AppliedMigration]


def book_of(found: Iterable[Any]) -> Book:
    """Return what :data:`READ_BOOK` found, by number."""
    return {number: AppliedMigration(*entry) for number, *entry in found}


def judge(book: Book, known: list[Migration]) -> list[Migration]:
    """Compare what a database has with what this program knows; return what it lacks.

    Raises:
        SchemaTooNew: it has a migration that this program cannot work with.
        MigrationChanged: an applied migration has other text now, or is gone.
    """
    newest = newest_of(known)
    if any(number > newest and row.oldest > newest for number, row in book.items()):
        raise SchemaTooNew(max(book), newest)
    compare({number: (row.name, row.checksum) for number, row in book.items()}, known)
    return [migration for migration in known if migration.number not in book]
