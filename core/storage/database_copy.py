"""Copy all rows of an SQLite file to PostgreSQL: whole, resumable, and never over other rows.

Both sides are walked in the order of their keys, which is the same on both: texts are compared by
their bytes. So what is there already is known for what it is, and only what is missing is written.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.pool import ConnectionPoolEntry

from core.errors.moving import RowNotMovable, SourceNotDrained, TargetInUse, TargetTaken
from core.storage.addresses import PostgresAddress
from core.storage.every_table import TABLES
from core.storage.postgres_migrations import locked_schema
from core.storage.postgres_trouble import first_line
from core.storage.tables import job, outbox, sched
from core.storage.trouble import named_troubles

BATCH = 1000  # rows of one transaction
_Row: TypeAlias = tuple[Any, ...]
Tell: TypeAlias = Callable[[str, int], None]  # a table, and how many of its rows were just written


@dataclass(frozen=True, slots=True)
class CopiedRows:
    """How many rows the source has, and how many of them were missing in the target."""

    total: int
    written: int


def copy_rows(source: Path, target: PostgresAddress, tell: Tell) -> CopiedRows:
    """Copy every row of ``source`` that ``target`` does not have; set the numbers that go on there.

    Args:
        source: an SQLite file of our newest schema, which nobody writes to.
        target: a database of the same schema, without rows or with some of these.
        tell: is called after each transaction.

    Raises:
        SourceNotDrained: something was under way when its service ended.
        TargetTaken: the target holds other rows; nothing was changed.
        TargetInUse: a service uses the target.
        RowNotMovable: the target does not take a row; those before it are there.
        StorageProblem: the source cannot be read.
        ServerProblem: the server does not answer, or refuses.
    """
    with named_troubles(source), _reading(source) as ours, locked_schema(target) as theirs:
        _require_drained(ours)
        _require_unused(theirs)
        missing = sum(_count(_missing(table, ours, theirs)) for table in TABLES)
        if missing:
            _withdraw_order(theirs)
            for table in TABLES:
                if table is sched:  # now they are whole
                    _set_numbers(theirs)
                _write(table, ours, theirs, tell)
        total = sum(_size(table, ours) for table in TABLES)
    return CopiedRows(total, missing)


@contextmanager
def _reading(source: Path) -> Generator[sa.Connection]:
    address = f"sqlite:///file:{quote(str(source))}?mode=ro&uri=true"
    engine = sa.create_engine(address, poolclass=sa.NullPool)
    event.listen(engine, "connect", _read_anything)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _read_anything(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Let bytes that are no text arrive; :func:`_text` sees to them."""
    driver: Any = connection
    driver.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")


def _ask(connection: sa.Connection, query: sa.Executable) -> int:
    with connection.begin():
        return connection.execute(query).scalar_one()


def _size(table: sa.Table, connection: sa.Connection) -> int:
    return _ask(connection, sa.select(sa.func.count()).select_from(table))


def _count(rows: Iterable[_Row]) -> int:
    return sum(1 for _ in rows)


def _require_drained(source: sa.Connection) -> None:
    """See that nothing was under way.

    Raises:
        SourceNotDrained: something was.
    """
    running = sa.select(sa.func.count()).where(job.c.token.is_not(None))
    sending = sa.select(sa.func.count()).where(outbox.c.state == "sending")
    found = SourceNotDrained(_ask(source, running), _ask(source, sending))
    if found.running or found.sending:
        raise found


def _require_unused(target: sa.Connection) -> None:
    """See that no service is connected.

    Raises:
        TargetInUse: one is.
    """
    services = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'clapper' AND pid <> pg_backend_pid()"
    )
    if count := _ask(target, services):
        raise TargetInUse(count)


def _missing(table: sa.Table, ours: sa.Connection, theirs: sa.Connection) -> Iterator[_Row]:
    """Yield the rows of ``ours`` that ``theirs`` has not, in the order of their keys.

    Raises:
        TargetTaken: it has one that is none of ours.
    """
    width = len(table.primary_key.columns)
    with ExitStack() as held:
        there = _walk(table, theirs, held)
        other = next(there, None)
        for row in _walk(table, ours, held):
            if other is None or row[:width] < other[:width]:
                yield row
            elif row == other or _is_new_order(table, other):
                if row != other:
                    yield row
                other = next(there, None)
            else:
                raise TargetTaken(table.name)
        if other is not None:
            raise TargetTaken(table.name)


def _is_new_order(table: sa.Table, row: _Row) -> bool:
    """Tell whether ``row`` is the fair order that the migrations made, which stands for none."""
    return table is sched and row == (1, 0)


def _columns(table: sa.Table) -> list[sa.Column[Any]]:
    return sorted(table.columns, key=lambda column: not column.primary_key)


def _walk(table: sa.Table, connection: sa.Connection, held: ExitStack) -> Iterator[_Row]:
    """Yield the rows of ``table`` as PostgreSQL can hold them: keys first, and ordered by them.

    Raises:
        RowNotMovable: it cannot hold a key, which would get another place in the order.
    """
    key = list(table.primary_key.columns)
    query = sa.select(*_columns(table)).order_by(*key).execution_options(yield_per=BATCH)
    held.enter_context(connection.begin())
    streamed = connection.execute(query)
    held.callback(streamed.close)
    for row in streamed:
        values = tuple(_text(value) for value in row)
        if values[: len(key)] != tuple(row[: len(key)]):
            raise RowNotMovable(table.name, "U+0000")
        yield values


def _text(value: Any) -> Any:  # noqa: ANN401  # whatever a column holds
    """Return ``value`` with U+FFFD for what PostgreSQL cannot hold, as the service writes it."""
    if not isinstance(value, str):
        return value
    if not value.isascii():
        value = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return value.replace("\0", "\ufffd")


def _withdraw_order(target: sa.Connection) -> None:
    """Take the fair order away: nobody serves the rows until it is back (see postgres_schema)."""
    with target.begin():
        target.execute(sa.delete(sched))


def _write(table: sa.Table, ours: sa.Connection, theirs: sa.Connection, tell: Tell) -> None:
    """Write the rows of ``table`` that are missing.

    Raises:
        RowNotMovable: PostgreSQL does not take one.
    """
    missing = _missing(table, ours, theirs)
    names = [column.name for column in _columns(table)]
    with theirs.engine.connect() as writer:
        while rows := list(islice(missing, BATCH)):
            try:
                with writer.begin():
                    values = [dict(zip(names, row, strict=True)) for row in rows]
                    writer.execute(sa.insert(table), values)
            except (DataError, IntegrityError) as error:
                detail = first_line(error.orig or error)
                raise RowNotMovable(table.name, detail) from None  # whose text quotes the row
            tell(table.name, len(rows))


def _set_numbers(target: sa.Connection) -> None:
    """Let the numbers that PostgreSQL gives begin after those that were copied."""
    with target.begin():
        for table in TABLES:
            column = table.autoincrement_column
            if column is not None:
                newest = sa.select(sa.func.max(column)).scalar_subquery()
                sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
                number = sa.func.coalesce(newest, 1)
                target.execute(sa.select(sa.func.setval(sequence, number, newest.is_not(None))))
