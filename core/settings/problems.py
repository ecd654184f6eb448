"""What is wrong with settings, as codes and data; all of it is told at once.

The sentences are in ``core/i18n/words`` under the code of a problem. Values of secrets never get
in here.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from annotated_types import Ge, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from core.errors.setup import BadSettings
from core.runtime.paths import PathUnclear

SHOWN = 60  # characters of a value; more is no help
HIDDEN = "…"
_ACCOUNT = re.compile(r"//[^/@\s]+@")
_CODES = {
    "int_parsing": "setting_not_whole",
    "int_from_float": "setting_not_whole",
    "int_type": "setting_not_whole",
    "int_parsing_size": "setting_out_of_range",
    "float_parsing": "setting_not_number",
    "float_type": "setting_not_number",
    "finite_number": "setting_not_number",
    "greater_than_equal": "setting_out_of_range",
    "less_than_equal": "setting_out_of_range",
    "bool_parsing": "setting_not_yes_or_no",
    "bool_type": "setting_not_yes_or_no",
    "literal_error": "setting_not_a_choice",
    "string_too_short": "setting_too_short",
    "too_short": "setting_too_short",
}


class SettingRefused(ValueError):
    """A value that no range describes is refused; ``code`` names the sentence."""

    def __init__(self, code: str, **data: str) -> None:
        """Take the code of a sentence and what fills it, beside name and value."""
        super().__init__(code)
        self.code = code
        self.data = data


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """One thing that is wrong: a code of ``core/i18n/words`` and its fields."""

    code: str
    names: tuple[str, ...]  # the variables to change
    data: dict[str, str]


def refuse(problems: Sequence[SettingProblem]) -> NoReturn:
    """Refuse the settings for all ``problems``.

    Raises:
        BadSettings: it tells them.
    """
    names = dict.fromkeys(name for problem in problems for name in problem.names)
    told = [[problem.code, problem.data] for problem in problems]
    raise BadSettings(", ".join(names), json.dumps(told))


def problem_of(error: ErrorDetails, name: str, field: FieldInfo | None) -> SettingProblem:
    """Return what is wrong with the variable ``name``, which ``field`` describes."""
    data = {"name": name, "value": _shown(error["input"], field)}
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, SettingRefused):
        return SettingProblem(cause.code, (name,), {**data, **cause.data})
    if isinstance(cause, PathUnclear):
        return SettingProblem(cause.code, (name,), data)
    code = _CODES.get(error["type"], "setting_unusable")
    if code in {"setting_not_whole", "setting_not_number", "setting_out_of_range"}:
        least, most = range_of(field)
        data |= {"least": number(least), "most": number(most)}
    elif code == "setting_not_a_choice":
        data["choices"] = str(error.get("ctx", {}).get("expected", "")).replace("'", "")
    elif code == "setting_too_short":
        data["least"] = str(error.get("ctx", {}).get("min_length", ""))
    elif code == "setting_unusable":
        data["reason"] = error["msg"].removeprefix("Value error, ").rstrip(".")
    return SettingProblem(code, (name,), data)


def range_of(field: FieldInfo | None) -> tuple[float | None, float | None]:
    """Return the least and the greatest number that ``field`` takes."""
    limits = field.metadata if field else []
    least = next((item.ge for item in limits if isinstance(item, Ge)), None)
    most = next((item.le for item in limits if isinstance(item, Le)), None)
    return least, most  # pyright: ignore[reportReturnType]  # numbers in all of our fields


def number(value: Any) -> str:  # noqa: ANN401  # int, float, or None where there is no limit
    """Return ``value`` as people write it: 20, not 20.0."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def is_secret(field: FieldInfo | None) -> bool:
    """Return whether the value of ``field`` must never be shown."""
    return field is None or "Secret" in str(field.annotation)


def _shown(value: object, field: FieldInfo | None) -> str:
    if is_secret(field) or isinstance(value, SecretStr):
        return HIDDEN
    text = without_password(str(value))
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + HIDDEN


def without_password(text: str) -> str:
    """Return ``text`` without the account and password that an address in it may have."""
    return _ACCOUNT.sub(f"//{HIDDEN}@", text)
