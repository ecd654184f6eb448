"""Run alembic's revisions on an open connection, each whole or not at all.

Imported only where a revision is to be applied: alembic takes as long to import as SQLAlchemy.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from core.runtime.clock import Clock
from core.storage.migration_files import Migration


def upgrade(
    connection: sa.Connection,
    folder: Path,
    pending: list[Migration],
    clock: Clock,
    note: Callable[[sa.Connection, Migration, int], None],
) -> None:
    """Apply the revisions in ``folder`` that the database does not have.

    Args:
        connection: outside a transaction; its dialect knows how to begin one.
        folder: where ``env.py`` and ``versions`` lie.
        pending: what they are called in the book of migrations.
        clock: what is written as the time of a migration.
        note: is called in the transaction of each, after its row in that book, with the schema of
            the oldest program that can use the database from then on.
    """
    by_number = {migration.number: migration for migration in pending}

    def applied(*, step: Any, **_: Any) -> None:  # noqa: ANN401  # alembic exports no types for it
        migration = by_number[int(step.up_revision_id)]
        row = {
            "number": migration.number,
            "name": migration.name,
            "checksum": migration.checksum,
            "at_ms": clock(),
        }
        connection.execute(
            sa.text("INSERT INTO migration (number, name, checksum, at_ms)"
                    " VALUES (:number, :name, :checksum, :at_ms)"), row
        )  # fmt: skip
        note(connection, migration, step.up_revision.module.oldest)

    config = _config(folder)
    config.attributes |= {"connection": connection, "applied": applied}
    command.upgrade(config, "head")


def _config(folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
