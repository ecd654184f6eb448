"""Who may log in: a text file of names, salted hashes and allowances.

``python -m webui.auth.user_file FILE NAME [MINUTES]`` adds or changes a line; the password is asked
for.
"""

import hashlib
import hmac
import math
import re
import secrets
import stat
import sys
from dataclasses import dataclass
from getpass import getpass
from pathlib import Path
from typing import Self

import structlog

from core.errors.setup import BadConfiguration
from core.i18n.messages import say
from core.runtime.atomic_files import only_writer_of, replace_whole
from core.runtime.paths import readable

log = structlog.get_logger(__name__)

NAME_CHARACTERS = 64  # at most
_N, _R, _P = 2**14, 8, 1  # scrypt: 16 MB and about 50 ms a try
_SALT = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{128}")
_OTHERS = 0o007


@dataclass(frozen=True, slots=True)
class User:
    """One account; ``minutes`` None means the quota of everybody."""

    name: str
    salt: str
    digest: str
    minutes: float | None = None

    @classmethod
    def of(cls, name: str, password: str, minutes: float | None = None) -> Self:
        """Make a new account with a salt of its own."""
        salt = secrets.token_hex(16)
        return cls(name, salt, _digest(password, salt), minutes)

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read the account that :attr:`line` wrote.

        Raises:
            ValueError: it is not such a line.
        """
        name, salt, digest, minutes = line.split(":")
        allowance = float(minutes) if minutes else None
        sound = name and _SALT.fullmatch(salt) and _DIGEST.fullmatch(digest)
        if not sound or not (allowance is None or (math.isfinite(allowance) and allowance >= 0)):
            raise ValueError(line)
        return cls(name, salt, digest, allowance)

    @property
    def line(self) -> str:
        """Write the account as one line of text."""
        minutes = "" if self.minutes is None else f"{self.minutes:g}"
        return f"{self.name}:{self.salt}:{self.digest}:{minutes}"

    def knows(self, password: str) -> bool:
        """Check ``password``, in constant time."""
        return hmac.compare_digest(_digest(password, self.salt), self.digest)


_NOBODY = User("", "0" * 32, "0" * 128)  # asked where there is no account, which takes as long


class UserFile:
    """The accounts of one file."""

    def __init__(self, users: dict[str, User]) -> None:
        self._users = users

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the accounts in ``path``.

        Raises:
            BadConfiguration: the file cannot be read, or a line is not an account.
        """
        try:
            users = _users_in(path)
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError as error:
            reason = f"{readable(path)}: {error.strerror or type(error).__name__}"
            raise BadConfiguration("CLAPPER_STUDIO_USERS", reason) from None
        if mode & _OTHERS:
            log.warning("user_file_is_open", path=str(path), mode=f"{mode:03o}")
        return cls({user.name: user for user in users})

    def admit(self, name: str, password: str) -> bool:
        """Check a name and its password; takes as long where there is no such account."""
        return self._users.get(name, _NOBODY).knows(password)

    def get(self, name: str) -> User | None:
        """Return the account called ``name``."""
        return self._users.get(name)


def _digest(password: str, salt: str) -> str:
    return hashlib.scrypt(password.encode(), salt=salt.encode(), n=_N, r=_R, p=_P).hex()


def _users_in(path: Path) -> list[User]:
    """Read the accounts in ``path``.

    Raises:
        BadConfiguration: the file is not whole: empty, or a line of it is no account.
        OSError: it cannot be read.
    """
    text = path.read_text("utf-8", errors="replace")
    lines = text.splitlines()
    users: list[User] = []
    for number, line in enumerate(lines, 1):
        torn = number == len(lines) and not text.endswith("\n")
        try:
            users += [] if not line.strip() else [User.from_line("" if torn else line)]
        except ValueError:
            place = {"path": str(path), "line": number}
            reason = say("studio_users_damaged", place)
            raise BadConfiguration("CLAPPER_STUDIO_USERS", reason) from None
    if not users:
        reason = say("studio_users_empty", {"path": str(path)})
        raise BadConfiguration("CLAPPER_STUDIO_USERS", reason)
    return users


def add(path: Path, user: User) -> None:
    """Write ``user`` into ``path``, readable by its owner only, in place of an older line.

    Raises:
        OSError: the file cannot be written; it is as it was.
    """
    with only_writer_of(path):
        lines, mode = [], 0o600
        if path.exists():
            lines = path.read_text("utf-8").splitlines()
            mode |= path.stat().st_mode & stat.S_IRGRP  # the service may read it by its group
        kept = [line for line in lines if line.strip() and line.split(":")[0] != user.name]
        replace_whole(path, "\n".join([*kept, user.line, ""]), mode)


def main(arguments: list[str]) -> int:
    """Add the account that the command line names; return the exit status."""
    named = len(arguments) in {2, 3}
    if not named or not arguments[1].isprintable() or ":" in arguments[1]:
        sys.stderr.write(say("studio_users_usage") + "\n")
        return 2
    path, name = Path(arguments[0]), arguments[1].strip()[:NAME_CHARACTERS]
    user = User.of(name, getpass(say("studio_users_password")))
    try:
        minutes = arguments[2] if len(arguments) == 3 else ""
        add(path, User.from_line(f"{name}:{user.salt}:{user.digest}:{minutes}"))
    except ValueError:
        sys.stderr.write(say("studio_users_usage") + "\n")
        return 2
    except OSError as error:
        place = {"path": str(path), "detail": error.strerror or ""}
        sys.stderr.write(say("studio_users_not_kept", place) + "\n")
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
