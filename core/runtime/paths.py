"""Make the paths of settings absolute, so that every process and folder reads them alike."""

import os
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, unquote

from pydantic import AfterValidator, SecretStr

_SQLITE = "sqlite+aiosqlite:///"


def absolute_path(path: Path) -> Path:
    """Return ``path`` from the root on: ``~`` is a home, and the rest begins in this folder.

    Raises:
        ValueError: ``~`` stands for nobody's home.
    """
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(f"{path}: {error}") from None


def absolute_address(address: str) -> str:
    """Return the database ``address`` with its file from the root on."""
    file, question, options = address.removeprefix(_SQLITE).partition("?")
    if not address.startswith(_SQLITE) or not file or file.startswith(("/", ":")):
        return address
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
