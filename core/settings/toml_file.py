"""The optional ``clapper.toml`` beside the file of settings: the same settings, in tables.

``quota_minutes = 20`` at the top is ``CLAPPER_QUOTA_MINUTES``, and ``token`` in the table
``[discord]`` is ``CLAPPER_DISCORD_TOKEN``; a list is what is written with commas elsewhere.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from core.settings.area import PREFIX
from core.settings.env_file import EnvFile, read_text, repeated
from core.settings.problems import SettingProblem, refuse

TOML_NAME = "clapper.toml"


def read_toml_file(path: Path | None) -> EnvFile:
    """Read ``path`` where it is there.

    Raises:
        BadSettings: the file cannot be read, or is no TOML.
    """
    text = read_text(path, wanted=False) if path else None
    if path is None or text is None:
        return EnvFile()
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        data = {"path": str(path), "reason": str(error)}
        refuse([SettingProblem("toml_file_unreadable", (TOML_NAME,), data)])
    found = list(_flat(tables))
    return EnvFile(path, dict(found), repeated=repeated(name for name, _ in found))


def _flat(table: dict[str, Any], prefix: str = PREFIX) -> Iterator[tuple[str, str]]:
    """Give the values of ``table`` and its tables with the names of their variables."""
    for key, value in table.items():
        name = prefix + key.upper().removeprefix(PREFIX)  # who writes the whole name means that
        if isinstance(value, dict):
            yield from _flat(cast("dict[str, Any]", value), f"{name}_")
        else:
            yield name, _written(value)


def _written(value: object) -> str:
    """Write ``value`` as an environment variable holds it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(_written(one) for one in cast("list[object]", value))
    return str(value)
