"""The root of all errors: a code and fields."""

import re
from dataclasses import dataclass, fields
from typing import ClassVar, TypeAlias, dataclass_transform

Scalar: TypeAlias = str | int | float | bool | None


@dataclass_transform(eq_default=False)
class ClapperError(Exception):
    """The root. ``code``, the class name in snake case, names the sentence, ``data`` fills it."""

    code: ClassVar[str] = "clapper_error"

    def __init_subclass__(cls) -> None:
        """Make each subclass a dataclass of its fields, and derive its code."""
        dataclass(eq=False)(cls)
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def data(self) -> dict[str, Scalar]:
        """Return the fields of this error, ready to be stored and to fill a sentence."""
        return {item.name: getattr(self, item.name) for item in fields(self)}  # pyright: ignore[reportArgumentType]  # every subclass is a dataclass, see __init_subclass__

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by fields: errors cross from child processes and GPU workers."""
        return _rebuild, (type(self), self.data())

    def __str__(self) -> str:
        details = ", ".join(f"{key}={value!r}" for key, value in self.data().items())
        return f"{self.code}({details})"


def _rebuild(kind: type[ClapperError], data: dict[str, Scalar]) -> ClapperError:
    return kind(**data)


class SetupProblem(ClapperError):
    """The installation cannot do what was asked."""
