"""The file of settings: where it is, what it says, and what about it cannot be read.

It is ``.env`` in the checkout, or the file that ``CLAPPER_ENV_FILE`` or ``--env-file`` names. The
folder in which a command is typed does not matter: whoever wrote a file there may be anybody.
Only names with our prefix are taken from it; those of other programs belong to those.
"""

import codecs
import io
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from core.runtime.environment import hand_on
from core.runtime.paths import absolute_path
from core.settings.area import PREFIX
from core.settings.problems import SettingProblem, refuse

ENV_NAME = ".env"
ENV_FILE = "CLAPPER_ENV_FILE"
SPACE_SETTINGS = "clapper.env"  # the file of settings in the folder of a Space
LARGEST_BYTES = 1_000_000
_PLAIN = re.compile(r"[\w.:/+-]+")
_NAME = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class EnvFile:
    """What a file of settings says."""

    path: Path | None = None  # None: there is none
    values: dict[str, str] = field(default_factory=dict[str, str])  # ours, in capitals
    foreign: tuple[str, ...] = ()  # names of other programs, which were not taken
    repeated: tuple[str, ...] = ()  # ours that stand there more than once; the last counts


def use_env_file(path: Path) -> None:
    """Read settings from ``path`` from now on, in this process and those that it starts."""
    hand_on(ENV_FILE, str(path.absolute()))


def use_settings_of(folder: Path) -> None:
    """Read the settings that ``folder``, of a Space, carries, unless a file is named already."""
    path = folder / SPACE_SETTINGS
    if not os.environ.get(ENV_FILE, "").strip() and path.is_file():
        use_env_file(path)


def is_ours(path: Path) -> bool:
    """Tell whether a file is there that nobody but this account, or root, could have put there."""
    try:
        owners = {found.st_uid for found in (path.stat(), path.parent.stat())}
        others = path.parent.stat().st_mode & stat.S_IWOTH
    except (OSError, ValueError):
        return False
    return path.is_file() and owners <= {0, os.getuid()} and not others


def read_env_file(usual: Path | None) -> EnvFile:
    """Read the file that ``CLAPPER_ENV_FILE`` names, else ``usual`` where it is there.

    Raises:
        BadSettings: the file cannot be read, or not understood.
    """
    named = os.environ.get(ENV_FILE, "").strip()
    path = _named(named) if named else usual
    if path is None:
        return EnvFile()
    text = read_text(path, wanted=bool(named))
    return EnvFile() if text is None else _parsed(path, text)


def _named(text: str) -> Path:
    try:
        return absolute_path(Path(text))
    except ValueError as error:
        _refuse("env_file_unreadable", Path(text), reason=str(error))


def read_text(path: Path, *, wanted: bool) -> str | None:
    """Return the content of ``path``, None where it is not there and not ``wanted``.

    Raises:
        BadSettings: it cannot be read, is too large or no UTF-8.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError as error:
        if not wanted:
            return None
        _refuse("env_file_unreadable", path, reason=error.strerror or "")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        _refuse("env_file_unreadable", path, reason=reason)
    if len(raw) > LARGEST_BYTES:
        _refuse("env_file_too_large", path)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in raw:
        _refuse("env_file_utf16", path)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        _refuse("env_file_not_utf8", path, line=line)


def _parsed(path: Path, text: str) -> EnvFile:
    """Take our names from ``text``.

    Raises:
        BadSettings: lines are not ``NAME=value``.
    """
    bindings = list(parse_stream(io.StringIO(text)))
    wrong = [_line_refused(path, line, original) for line, original in _wrong_lines(bindings)]
    if wrong:
        refuse(wrong)
    found = dotenv_values(stream=io.StringIO(text))
    values = {name.upper(): value or "" for name, value in found.items() if _is_ours(name)}
    foreign = tuple(name for name in found if not _is_ours(name))
    names = [binding.key for binding in bindings if binding.key and _is_ours(binding.key)]
    return EnvFile(path, values, foreign, repeated(names))


def repeated(names: Iterable[str]) -> tuple[str, ...]:
    """Return the variables that ``names`` has more than once, in capitals."""
    return tuple(name for name, times in Counter(map(str.upper, names)).items() if times > 1)


def written(value: str) -> str:
    """Write ``value`` as :func:`read_env_file` takes it back."""
    if _PLAIN.fullmatch(value):
        return value
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{quoted}'"


def _is_ours(name: str) -> bool:
    return name.upper().startswith(PREFIX)


def _wrong_lines(bindings: Iterable[Binding]) -> Iterator[tuple[int, str]]:
    for binding in bindings:
        bare = binding.key is not None and binding.value is None
        if binding.error or bare:
            blank = len(binding.original.string) - len(binding.original.string.lstrip("\n"))
            yield binding.original.line + blank, binding.original.string.strip()


def _line_refused(path: Path, line: int, original: str) -> SettingProblem:
    """Tell the name on a wrong line, never what follows: it may be a token."""
    name = found[1] if (found := _NAME.match(original)) else "NAME"
    data = {"path": str(path), "line": str(line), "name": name[:60]}
    return SettingProblem("env_file_line", (name[:60],), data)


def _refuse(code: str, path: Path, **data: object) -> NoReturn:
    filled = {"path": str(path), **{key: str(value) for key, value in data.items()}}
    refuse([SettingProblem(code, (ENV_FILE,), filled)])
