"""Read the settings from the environment and the file of settings, and check them together."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from pydantic import SecretStr, ValidationError

from core.runtime.paths import absolute_path
from core.settings.area import Variable, field_at, nested, variables
from core.settings.contradictions import contradictions
from core.settings.env_file import ENV_NAME, EnvFile, is_ours, read_env_file
from core.settings.problems import (
    HIDDEN,
    SettingProblem,
    problem_of,
    refuse,
    without_password,
)
from core.settings.settings import Settings
from core.settings.toml_file import TOML_NAME, read_toml_file
from core.settings.unknown_names import UnknownName, environment, foreign_tokens, unknown_among

_NO_DEFAULTS: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class NameFindings:
    """Names in the environment and in the file of settings that nobody reads."""

    unknown: tuple[UnknownName, ...] = ()  # with our prefix
    foreign: tuple[str, ...] = ()  # of other programs, in our file
    repeated: tuple[tuple[str, Path], ...] = ()  # more than once in a file; the last counts
    tokens: tuple[str, ...] = ()  # a token of Hugging Face under a name that we do not read
    file: Path | None = None  # the file of settings that was read
    looked_at: Path | None = None  # where one was looked for; None: nowhere


class SettingOrigin(StrEnum):
    """Where the value of a setting comes from."""

    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """One setting as it holds now; ``value`` is for people, secrets are hidden."""

    name: str
    value: str
    origin: SettingOrigin
    file: Path | None = None  # that says so


def load_settings(
    defaults: Mapping[str, object] = _NO_DEFAULTS, /, **overrides: object
) -> Settings:
    """Read the settings from the environment.

    Args:
        defaults: values, named as ``overrides``, that hold where neither the environment nor the
            file of settings says otherwise: what a place of its own, such as a Space, has instead
            of the usual defaults.
        overrides: values that win over the environment (tests, command-line flags). Each has the
            name of its variable in lower case without the prefix, e.g. ``studio_port``.

    Returns:
        The frozen settings.

    Raises:
        BadSettings: values have the wrong type, lie outside their range or contradict each other,
            or the file of settings cannot be read. It tells all of them.
        TypeError: no setting has the name of an override.
    """
    known = _known()
    nested(known, {**defaults, **overrides})  # a wrong name is a defect, whatever else is wrong
    found = {name: value for name, (value, _) in _found().items()}
    given = {**defaults, **found, **overrides}
    settings, problems = _validated(given)
    sound = frozenset(known) - {_flat_name(name) for problem in problems for name in problem.names}
    names = {flat: variable.names[0] for flat, variable in known.items()}
    problems += contradictions(settings.values(), names, sound=sound)
    if problems:
        refuse(problems)
    return settings


def look_at_names() -> NameFindings:
    """Look for names that are set and that nobody reads.

    Raises:
        BadSettings: the file of settings cannot be read.
    """
    file, tables = _files()
    known = [name for variable in _known().values() for name in variable.names]
    unknown = unknown_among([*environment(), *file.values, *tables.values], known)
    repeated = tuple((name, held.path) for held in (file, tables) if held.path
                     for name in held.repeated)  # fmt: skip
    return NameFindings(
        tuple(unknown), file.foreign, repeated, tuple(foreign_tokens()), file.path, _usual_file()
    )


def settings_in_force(settings: Settings) -> list[SettingInForce]:
    """List every setting with its value and where that comes from, in the order of the areas.

    Args:
        settings: what :func:`load_settings` returned.

    Raises:
        BadSettings: the file of settings cannot be read.
    """
    found = _found()
    values = settings.values()
    listed: list[SettingInForce] = []
    for flat, variable in _known().items():
        _, file = found.get(flat, ("", None))
        origin = SettingOrigin.DEFAULT
        if flat in found:
            origin = SettingOrigin.FILE if file else SettingOrigin.ENVIRONMENT
        listed.append(SettingInForce(variable.names[0], _shown(values[flat]), origin, file))
    return listed


def _shown(value: object) -> str:
    """Write ``value`` for people; of a secret no more than that there is one."""
    if isinstance(value, SecretStr):
        return HIDDEN if value.get_secret_value() else ""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else without_password(str(value))


@cache
def _known() -> dict[str, Variable]:
    return variables(Settings)


def _flat_name(name: str) -> str:
    return next((flat for flat, one in _known().items() if name in one.names), name)


def _usual_file() -> Path | None:
    """Return where the file of settings is looked for: beside the checkout, else beside the data.

    The data directory of the environment is meant; that of the file would be too late.
    """
    path = Settings.model_config.get("env_file")
    usual = Path(cast("str | Path", path)) if path else None
    data_dir = environment().get("CLAPPER_DATA_DIR", "").strip()
    if not data_dir or (usual is not None and usual.is_file()):
        return usual
    try:
        beside = absolute_path(Path(data_dir)).parent / ENV_NAME
    except ValueError:  # told where the setting itself is checked
        return usual
    return beside if is_ours(beside) else usual


def _files() -> tuple[EnvFile, EnvFile]:
    """Read the file of settings, and the tables beside the usual one."""
    usual = _usual_file()
    return read_env_file(usual), read_toml_file(usual.with_name(TOML_NAME) if usual else None)


def _found() -> dict[str, tuple[Any, Path | None]]:
    """Return what is set by flat name, and the file that says so: None for the environment.

    The environment wins over the file of settings, and that over the tables.
    """
    outside = EnvFile(None, {name.upper(): value for name, value in environment().items()})
    sources = (outside, *_files())
    found: dict[str, tuple[Any, Path | None]] = {}
    for flat, variable in _known().items():
        values = [(held.values[name], held.path) for held in sources
                  for name in variable.names if held.values.get(name, "").strip()]  # fmt: skip
        if values:
            found[flat] = values[0]
    return found


def _validated(given: dict[str, Any]) -> tuple[Settings, list[SettingProblem]]:
    """Return the settings, with the default where a value cannot be used, and what is wrong."""
    problems: list[SettingProblem] = []
    while True:
        try:
            return Settings(**nested(_known(), given)), problems
        except ValidationError as error:
            for detail in error.errors():
                flat, variable = _at(detail["loc"])
                owner = field_at(Settings, variable.path)
                problems.append(problem_of(detail, variable.names[0], owner))
                del given[flat]


def _at(location: tuple[int | str, ...]) -> tuple[str, Variable]:
    """Return the variable of the value at ``location``, which may lead further into it.

    Raises:
        LookupError: there is none.
    """
    for flat, variable in _known().items():
        if location[: len(variable.path)] == variable.path:
            return flat, variable
    raise LookupError(location)
