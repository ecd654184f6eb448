"""Changes that depend on nothing of each other, in one trip to a server."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias, cast

from sqlalchemy import BindParameter, Column, CursorResult, Table, bindparam, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import Delete, Insert, Update

Change: TypeAlias = Insert | Update | Delete
Template: TypeAlias = Callable[..., Change]  # of Placeholders and the shape
_KEPT = 512  # statements and batches of them; a process has a few dozen


@dataclass(frozen=True, slots=True)
class Placeholders:
    """The places for values in a statement that is built once, under names of its own."""

    prefix: str

    def __call__(self, column: Column[Any], name: str = "") -> BindParameter[Any]:
        """Return the place for a value of the type of ``column``; ``name`` is the column's."""
        return bindparam(self.prefix + (name or column.name), type_=column.type)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A statement but for its values."""

    template: Template
    of: tuple[Hashable, ...]


class WriteBatch:
    """Statements of one transaction that are sent together.

    PostgreSQL takes them as one, whose parts all see the rows as they were before; a file, to which
    there is no trip, one after the other. So none may change a row that another one changes, nor
    read what another one writes.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._changes: list[tuple[Change | _Shape, Mapping[str, Any]]] = []

    def add(self, *changes: Change) -> None:
        """Take ``changes`` in."""
        self._changes += [(change, {}) for change in changes]

    def fill(self, template: Template, values: Mapping[str, Any], *shape: Hashable) -> None:
        """Take in what ``template`` builds, once for each ``shape``, with ``values``.

        Building a statement and finding its text takes longer than sending it: what every job needs
        is kept.
        """
        self._changes.append((_Shape(template, shape), values))

    def insert(self, table: Table, values: Mapping[str, Any]) -> None:
        """Take in a new row of ``table``."""
        self.fill(_row, values, table, tuple(values))

    async def send(
        self, connection: AsyncConnection, asked: Change | None = None
    ) -> CursorResult[Any]:
        """Make all changes, of which there is at least one.

        Returns:
            The result of ``asked``, which is one of them; of the last one without.
        """
        changes, self._changes = self._changes, []
        parts = tuple(part for part, _ in changes)
        values = [
            {_prefix(number) + name: value for name, value in own.items()}
            for number, (_, own) in enumerate(changes)
        ]
        place = len(parts) - 1
        if asked is not None:
            place = next(number for number, part in enumerate(parts) if part is asked)
        if connection.dialect.name == "postgresql":
            alike = all(isinstance(part, _Shape) for part in parts)
            build = _kept if alike else _combined
            everything = {name: value for own in values for name, value in own.items()}
            return await connection.execute(build(parts, place), everything)
        results = [
            await connection.execute(_built(part, number), own)
            for number, (part, own) in enumerate(zip(parts, values, strict=True))
        ]
        return results[place]


def _prefix(number: int) -> str:
    return f"of_{number}_"


def _row(given: Placeholders, table: Table, names: tuple[str, ...]) -> Insert:
    return insert(table).values({name: given(table.c[name]) for name in names})


def _built(part: Change | _Shape, number: int) -> Change:
    return _from_template(part, number) if isinstance(part, _Shape) else part


@lru_cache(_KEPT)
def _from_template(shape: _Shape, number: int) -> Change:
    return shape.template(Placeholders(_prefix(number)), *shape.of)


def _combined(parts: tuple[Change | _Shape, ...], place: int) -> Change:
    """Build one statement of all ``parts``; its result is that of the one at ``place``."""
    built = [_built(part, number) for number, part in enumerate(parts)]
    asked = built.pop(place)
    return asked.add_cte(*(one.cte(f"also_{number}") for number, one in enumerate(built)))


_kept = cast("Callable[[tuple[Any, ...], int], Change]", lru_cache(_KEPT)(_combined))
