"""The tables of procrastinate, which runs the worker processes: made by its own statements.

They are the engine's: no row in them belongs to a person, none is copied, and what is lost in
them is made again from the jobs. Which of its migrations a database has, we note ourselves.
"""

from collections.abc import Iterable
from pathlib import Path

import sqlalchemy as sa
import structlog

from core.errors.setup import BadConfiguration
from core.runtime.clock import Clock
from core.storage.addresses import VARIABLE

log = structlog.get_logger(__name__)

ENGINE = "procrastinate"
ENGINE_TABLES = (
    "procrastinate_events",
    "procrastinate_jobs",
    "procrastinate_periodic_defers",
    "procrastinate_workers",
)
BOOK = "procrastinate_migration"  # beside its tables: who may use those may read it
_MAKE_BOOK = f"CREATE TABLE IF NOT EXISTS {BOOK} (name TEXT PRIMARY KEY, at_ms BIGINT NOT NULL)"
READ_BOOK = sa.text(f"SELECT name FROM {BOOK}")  # noqa: S608  # a name of ours


def missing_in(applied: Iterable[str]) -> list[str]:
    """Return the migrations of the installed engine that are not among ``applied``, in order."""
    known = sorted(path.stem for path in _folder().glob("*.sql"))
    return [name for name in known if name not in set(applied)]


def migrate_engine(connection: sa.Connection, clock: Clock) -> list[str]:
    """Bring the tables of the engine to the version that is installed, or make them.

    Args:
        connection: outside a transaction; nobody else changes the schema meanwhile.
        clock: what is written as the time.

    Returns:
        What was done, by names.

    Raises:
        BadConfiguration: tables of somebody else bear these names.
    """
    with connection.begin():
        connection.exec_driver_sql(_MAKE_BOOK)
        applied = set(connection.scalars(READ_BOOK))
        missing = missing_in(applied)
        if not missing:
            return []
        if applied:
            for name in missing:
                _run(connection, (_folder() / f"{name}.sql").read_text("utf-8"))
        else:
            require_room(connection, ENGINE_TABLES)
            _run(connection, _whole_schema())
        note = sa.text(f"INSERT INTO {BOOK} (name, at_ms) VALUES (:name, :at_ms)")  # noqa: S608  # ours
        connection.execute(note, [{"name": name, "at_ms": clock()} for name in missing])
    log.info("engine_migrated", migrations=len(missing))
    return [f"{ENGINE} {name}" for name in (missing if applied else missing[-1:])]


def require_room(connection: sa.Connection, names: Iterable[str]) -> None:
    """See that the database has none of the tables ``names``.

    Raises:
        BadConfiguration: it has.
    """
    there = set(sa.inspect(connection).get_table_names())
    if taken := sorted(there & set(names)):
        reason = f"the database holds a table “{taken[0]}” that is not Clapper's: take an empty one"
        raise BadConfiguration(VARIABLE, reason)


def _run(connection: sa.Connection, statements: str) -> None:
    """Run what the engine ships, as it stands: a percent sign in it is no placeholder."""
    connection.exec_driver_sql(statements, execution_options={"no_parameters": True})


def _folder() -> Path:
    from procrastinate.schema import migrations_path

    return migrations_path


def _whole_schema() -> str:
    from procrastinate.schema import SchemaManager

    return SchemaManager.get_schema()
