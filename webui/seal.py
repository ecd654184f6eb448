"""Who is signed in, as a sealed cookie: the browser keeps it and cannot change it.

It holds no password and no token of the provider. The key is a file beside the database, so that a
restart signs nobody out; deleting the file signs everybody out.
"""

import hmac
import os
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from itsdangerous import BadData, URLSafeSerializer

COOKIE = "clapper_account"
_PURPOSE = "clapper account 1"  # changes with the fields, so that older cookies end


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser."""

    kind: str  # "hf": a Hugging Face account; "user": one of the user file
    id: str  # what stays: the account's own id at the provider, or the name in the user file
    name: str  # what people read; the account may change it
    until: int  # epoch seconds
    pro: bool = False  # pays the provider for more
    stamp: str = ""  # of the password at the time
    admitted: str = ""  # by which entry of the list of accounts

    @property
    def over(self) -> bool:
        """Return whether its time has come."""
        return time.time() >= self.until


class Seal:
    """Closes sessions into cookies and opens them."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self._serializer = URLSafeSerializer(key, salt=_PURPOSE)

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Return the seal whose key is a file in ``folder``; made where there is none."""
        path = folder / "studio.key"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls(path.read_bytes())
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
        return cls(path.read_bytes())

    def digest(self, purpose: str, text: str) -> str:
        """Return a name for ``text`` that nobody without the key can tell it from; 32 digits."""
        key = hmac.digest(self.key, purpose.encode(), "sha256")
        return hmac.digest(key, text.encode(), "sha256").hex()[:32]

    def close(self, session: Session) -> str:
        """Return the text of a cookie."""
        return str(self._serializer.dumps(asdict(session)))

    def open(self, text: str) -> Session | None:
        """Return what :meth:`close` took, also when its time is over; None for anything else."""
        if not text:
            return None
        try:
            fields: dict[str, Any] = self._serializer.loads(text)
            return Session(**fields)
        except (BadData, TypeError):
            return None
