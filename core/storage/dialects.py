"""What SQLite and PostgreSQL spell differently, in one spelling."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from core.storage.tables import INTEGER

_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_into(dialect: str, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """Begin an insert that may say what happens where the row is there already."""
    return _INSERTS[dialect](table)


async def upsert(
    connection: AsyncConnection,
    table: sa.Table,
    rows: Iterable[Mapping[str, Any]],
    changes: Iterable[str] | Mapping[str, Any] | None = None,
) -> None:
    """Insert ``rows``, if there are any, or change those of ``table``; see :func:`upserted`."""
    given = list(rows)
    if given:
        await connection.execute(upserted(connection, table, given, changes))


def upserted(
    connection: AsyncConnection,
    table: sa.Table,
    rows: Iterable[Mapping[str, Any]],
    changes: Iterable[str] | Mapping[str, Any] | None = None,
) -> postgresql.Insert | sqlite.Insert:
    """Build an insert of ``rows`` that changes those of ``table`` that have the same primary key.

    Args:
        connection: says the dialect.
        table: of one dialect or the other.
        rows: at least one; of two with the same key the later one counts.
        changes: the columns that are taken over where a row is there already, or expressions for
            them; None takes over all but the key.
    """
    keys = [column.name for column in table.primary_key]
    distinct = {tuple(row[name] for name in keys): row for row in rows}
    values = [dict(row) for row in distinct.values()]
    # a list is compiled anew each time, one row is not
    given: Any = values[0] if len(values) == 1 else values
    statement = insert_into(connection.dialect.name, table).values(given)
    if changes is None:
        changes = [name for name in values[0] if name not in keys]
    if not isinstance(changes, Mapping):
        changes = {name: statement.excluded[name] for name in changes}
    taken = cast("Mapping[str, Any]", changes)
    return statement.on_conflict_do_update(index_elements=keys, set_=taken)


def greater(one: sa.ColumnElement[int], other: sa.ColumnElement[int] | int) -> sa.Case[int]:
    """Return the greater of two numbers that are not NULL."""
    return sa.case((one > other, one), else_=other)


def total(number: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """Sum up whole numbers to a whole number, 0 where there is none."""
    return sa.cast(sa.func.coalesce(sa.func.sum(number), 0), INTEGER)


class NextNumber(sa.ColumnElement[int]):
    """The number that the next row of a table would get; it is taken with this."""

    inherit_cache = True
    type = INTEGER

    def __init__(self, column: sa.Column[int]) -> None:
        """Take the column that is numbered by itself."""
        self.column = column


@compiles(NextNumber, "sqlite")
def _after_the_last(element: NextNumber, compiler: SQLCompiler, **_: Any) -> str:  # noqa: ANN401  # SQLAlchemy's
    preparer, column = compiler.preparer, element.column
    name, table = preparer.format_column(column), preparer.format_table(column.table)
    return f"(SELECT coalesce(max({name}), 0) + 1 FROM {table})"  # noqa: S608  # names of ours


@compiles(NextNumber, "postgresql")
def _of_the_sequence(element: NextNumber, compiler: SQLCompiler, **_: Any) -> str:  # noqa: ANN401  # SQLAlchemy's
    column = element.column
    preparer = compiler.preparer
    table = preparer.format_table(column.table)
    return f"nextval(pg_get_serial_sequence('{table}', '{column.name}'))"


class DatabaseTime(sa.ColumnElement[int]):
    """The time of the database at this moment, in epoch milliseconds."""

    inherit_cache = True
    type = INTEGER


@compiles(DatabaseTime, "sqlite")
def _julian(element: DatabaseTime, compiler: SQLCompiler, **_: Any) -> str:  # noqa: ANN401  # SQLAlchemy's
    del element, compiler
    return "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"


@compiles(DatabaseTime, "postgresql")
def _of_the_clock(element: DatabaseTime, compiler: SQLCompiler, **_: Any) -> str:  # noqa: ANN401  # SQLAlchemy's
    del element, compiler
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


class Notification(sa.ColumnElement[str]):
    """Tells the other processes at a server, once the transaction is committed; a file has none."""

    inherit_cache = False
    type = sa.Text()

    def __init__(self, topic: str, text: str) -> None:
        """Take the topic and the text of the message."""
        self.parts = sa.literal(topic), sa.literal(text)


@compiles(Notification, "sqlite")
def _to_nobody(element: Notification, compiler: SQLCompiler, **_: Any) -> str:  # noqa: ANN401  # SQLAlchemy's
    del element, compiler
    return "NULL"


@compiles(Notification, "postgresql")
def _by_notify(element: Notification, compiler: SQLCompiler, **more: Any) -> str:  # noqa: ANN401  # SQLAlchemy's
    topic, text = (compiler.process(part, **more) for part in element.parts)
    return f"pg_notify({topic}, {text})"
