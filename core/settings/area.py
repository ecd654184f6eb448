"""What an area of the settings is, and the variables that its fields are read from.

A field ``x_y`` is read from the prefix of its area and ``X_Y``, unless :class:`ReadFrom` names
others. No defaults and no ranges belong here: each area states its own.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic.fields import FieldInfo

from core.settings.kinds import clean_text, entries

PREFIX = "CLAPPER_"


class Area(BaseModel):
    """One part of the settings; frozen."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False
    )

    prefix: ClassVar[str] = PREFIX

    @field_validator("*", mode="before")
    @classmethod
    def _clean(cls, value: object) -> object:
        return clean_text(value)


@dataclass(frozen=True, slots=True)
class ReadFrom:
    """The variables of one field, the first one wins: an annotation."""

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        """Take the names of the variables, in capitals."""
        object.__setattr__(self, "names", names)


@dataclass(frozen=True, slots=True)
class Variable:
    """Where one value of the settings stands, and the variables that it is read from."""

    path: tuple[str, ...]  # area and field; the field alone where it belongs to all
    names: tuple[str, ...]  # in capitals, the first one wins

    @property
    def flat_name(self) -> str:
        """Return the first variable in lower case, without the prefix of the program."""
        return self.names[0].removeprefix(PREFIX).lower()


def variables(settings: type[BaseModel]) -> dict[str, Variable]:
    """Return every variable of ``settings`` and of its areas by its flat name, in their order."""
    found: list[Variable] = []
    for name, field in settings.model_fields.items():
        area = field.annotation
        if isinstance(area, type) and issubclass(area, Area):
            found += [
                Variable((name, inner), _names(area.prefix, inner, value))
                for inner, value in area.model_fields.items()
            ]
        else:
            found.append(Variable((name,), _names(PREFIX, name, field)))
    return {variable.flat_name: variable for variable in found}


def nested(known: dict[str, Variable], values: dict[str, Any]) -> dict[str, Any]:
    """Return ``values``, which have flat names, sorted into their areas.

    Raises:
        TypeError: no setting has one of the names.
    """
    sorted_in: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise TypeError(f"there is no setting {name!r}")
        *area, field = known[name].path
        (sorted_in.setdefault(area[0], {}) if area else sorted_in)[field] = value
    return sorted_in


def field_at(settings: type[BaseModel], path: tuple[str, ...]) -> FieldInfo:
    """Return the field of the value at ``path``, an area and a field or a field alone."""
    *areas, name = path
    for area in areas:
        settings = settings.model_fields[area].annotation  # pyright: ignore[reportAssignmentType]  # an area
    return settings.model_fields[name]


def _names(prefix: str, name: str, field: FieldInfo) -> tuple[str, ...]:
    for item in field.metadata:
        if isinstance(item, ReadFrom):
            return item.names
    return (prefix + name.upper(),)


def parts(text: str) -> frozenset[str]:
    """Return what ``text`` lists with commas, without blanks."""
    return frozenset(entries(text))
