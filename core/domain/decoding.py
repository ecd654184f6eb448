"""Decode what is stored, whichever version wrote it: one tolerant way for every kind of record.

Fields that this version does not know are left out, those that are missing have today's default.
What cannot be understood even so raises one error, so that whoever reads a list can set that entry
aside and go on with the others.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError

from core.errors import ClapperError, Scalar

Decoded = TypeVar("Decoded")


class UndecodableError(ValueError):
    """Stored data that this version cannot read."""


# what decoding may raise of data that somebody else wrote
DECODING_ERRORS = (
    ClapperError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    RecursionError,
)


def parse_stored(text: str | None) -> Any:  # noqa: ANN401  # plain JSON data
    """Parse stored JSON text.

    Raises:
        UndecodableError: it is no JSON, or holds a number that is not finite.
    """
    try:
        return json.loads(text or "", parse_constant=_refuse, parse_float=_finite)
    except DECODING_ERRORS as error:
        raise UndecodableError(str(error)) from error


def parse_object(text: str | None, or_else: dict[str, Any] | None = None) -> dict[str, Any]:
    """Parse stored JSON text that is an object; anything else is ``or_else``, or an empty one."""
    try:
        found = parse_stored(text)
    except UndecodableError:
        found = None
    return found if isinstance(found, dict) else or_else or {}  # pyright: ignore[reportUnknownVariableType]  # JSON


def parse_words(text: str | None) -> dict[str, str]:
    """Parse a stored JSON object of texts; a value that is none is left out."""
    return {key: value for key, value in parse_object(text).items() if isinstance(value, str)}


def whole(data: Mapping[str, str], key: str) -> int:
    """Read a whole number of a stored address; 0 where it is missing or none."""
    try:
        return int(data.get(key) or 0)
    except ValueError:
        return 0


def scalars(data: dict[str, Any]) -> dict[str, Scalar]:
    """Keep of a stored object what fills sentences; a list or an object in it is left out."""
    return {
        key: value
        for key, value in data.items()
        if value is None or isinstance(value, str | int | float | bool)
    }


def decode(kind: type[Decoded], data: object) -> Decoded:
    """Make the record ``kind`` (a dataclass) of plain data; a number in quotes is no number.

    Raises:
        UndecodableError: a field without a default is missing, or has a value of another kind.
    """
    try:
        # as JSON, where being strict still takes words for enumerations and lists for tuples
        return _adapter(kind).validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        raise UndecodableError(f"{kind.__name__}: {_places(error)}") from error
    except DECODING_ERRORS as error:
        raise UndecodableError(f"{kind.__name__}: {type(error).__name__}") from error


@cache
def _adapter(kind: type[Decoded]) -> TypeAdapter[Decoded]:
    return TypeAdapter(kind)


def _places(error: ValidationError) -> str:
    """Name the fields that were wrong, without their values: those are a person's words."""
    return ", ".join(".".join(map(str, item["loc"])) for item in error.errors())


def _refuse(constant: str) -> NoReturn:
    raise UndecodableError(constant)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise UndecodableError(digits)
    return number
