"""Make the paths of settings absolute, so that every process and folder reads them alike."""

import os
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, unquote

from pydantic import AfterValidator, SecretStr

_SQLITE = "sqlite+aiosqlite:///"
_UNCLEAR = re.compile(r"\$\{?\w|%\w+%|\w{2,}:/")  # $HOME, ${HOME}, %APPDATA%, file:///srv
_SCHEME = re.compile(r"sqlite(?:\+\w+)?:///", re.IGNORECASE)  # our driver is the only one


class PathUnclear(ValueError):
    """A path holds what another program would have replaced; taken literally it leads nowhere."""

    code = "setting_path_unclear"


def absolute_path(path: Path) -> Path:
    """Return ``path`` from the root on: ``~`` is a home, and the rest begins in this folder.

    Raises:
        PathUnclear: it begins with a variable of a shell, or is an address.
        ValueError: ``~`` stands for nobody's home.
    """
    if _UNCLEAR.match(str(path)):
        raise PathUnclear(str(path))
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(f"{path}: {error}") from None


def absolute_address(address: str) -> str:
    """Return the database ``address`` with its file from the root on, whoever drives SQLite."""
    scheme = _SCHEME.match(address)
    if scheme is None:
        return address
    file, question, options = address[scheme.end() :].partition("?")
    if not file or file.startswith(("/", ":")):
        return _SQLITE + file + question + options
    return address_of(absolute_path(Path(unquote(file)))) + question + options


def address_of(database: Path) -> str:
    """Return the address of the SQLite file ``database``, whatever is in its name.

    Quoted: after a question mark in the name of a folder an address would have its options.
    """
    return _SQLITE + quote(str(database))


def readable(path: Path) -> str:
    """Return ``path`` as text for people: a name may hold bytes that are none."""
    return os.fsencode(path).decode("utf-8", "replace")


Place = Annotated[Path, AfterValidator(absolute_path)]
SecretAddress = Annotated[
    SecretStr, AfterValidator(lambda given: SecretStr(absolute_address(given.get_secret_value())))
]
