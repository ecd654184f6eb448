"""Who may log in: a text file of names, salted hashes and allowances.

``python -m webui.users FILE NAME [MINUTES]`` adds or changes a line; the password is asked for.
"""

import hashlib
import hmac
import secrets
import sys
from dataclasses import dataclass
from getpass import getpass
from pathlib import Path
from typing import Self

from core.messages import say
from core.problems import BadConfiguration

_N, _R, _P = 2**14, 8, 1  # scrypt: 16 MB and about 50 ms a try
_NAME_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class User:
    """One account; ``minutes`` None means the quota of everybody."""

    name: str
    salt: str
    digest: str
    minutes: float | None = None

    @classmethod
    def of(cls, name: str, password: str, minutes: float | None = None) -> Self:
        """Return a new account with a salt of its own."""
        salt = secrets.token_hex(16)
        return cls(name, salt, _digest(password, salt), minutes)

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Return the account that :attr:`line` wrote.

        Raises:
            ValueError: it is not such a line.
        """
        name, salt, digest, minutes = line.split(":")
        return cls(name, salt, digest, float(minutes) if minutes else None)

    @property
    def line(self) -> str:
        """Return the account as one line of text."""
        minutes = "" if self.minutes is None else f"{self.minutes:g}"
        return f"{self.name}:{self.salt}:{self.digest}:{minutes}"

    def knows(self, password: str) -> bool:
        """Return whether ``password`` is right, in constant time."""
        return hmac.compare_digest(_digest(password, self.salt), self.digest)


class Users:
    """The accounts of one file."""

    def __init__(self, users: dict[str, User]) -> None:
        self._users = users

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the accounts in ``path``.

        Raises:
            BadConfiguration: the file cannot be read, or a line is not an account.
        """
        try:
            lines = path.read_text("utf-8").splitlines()
            users = [User.from_line(line) for line in lines if line.strip()]
        except (OSError, ValueError) as error:
            raise BadConfiguration("CLAPPER_STUDIO_USERS", str(error)) from None
        return cls({user.name: user for user in users})

    def admit(self, name: str, password: str) -> bool:
        """Return whether this is an account and its password; takes as long where it is none."""
        user = self._users.get(name) or User("", "", "")
        return user.knows(password)

    def get(self, name: str) -> User | None:
        """Return the account called ``name``."""
        return self._users.get(name)


def _digest(password: str, salt: str) -> str:
    return hashlib.scrypt(password.encode(), salt=salt.encode(), n=_N, r=_R, p=_P).hex()


def add(path: Path, user: User) -> None:
    """Write ``user`` into ``path``, readable by its owner only, in place of an older line."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    kept = [line for line in lines if line.strip() and line.split(":")[0] != user.name]
    path.touch(mode=0o600)
    path.write_text("\n".join([*kept, user.line, ""]), "utf-8")


def main(arguments: list[str]) -> int:
    """Add the account that the command line names; return the exit status."""
    named = len(arguments) in {2, 3}
    if not named or not arguments[1].isprintable() or ":" in arguments[1]:
        sys.stderr.write(say("studio_users_usage") + "\n")
        return 2
    password = getpass(say("studio_users_password"))
    minutes = float(arguments[2]) if len(arguments) == 3 else None
    add(Path(arguments[0]), User.of(arguments[1][:_NAME_CHARACTERS], password, minutes))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
