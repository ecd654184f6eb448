"""Who is signed in, as a signed cookie: the browser keeps it and cannot change it.

It holds no password and no token of the provider. The key is in the settings, as several nodes that
serve one page need the same, or a file in the data directory, so that a restart signs nobody out;
another key signs everybody out.
"""

import hmac
import re
import secrets
import stat
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import structlog
from itsdangerous import BadData, URLSafeSerializer

from core.errors.setup import KeyFileDamaged, KeyFileUnusable
from core.runtime.atomic_files import only_writer_of, replace_whole
from core.settings import Settings

log = structlog.get_logger(__name__)

COOKIE = "clapper_account"
KEY_FILE = "studio.key"
_KEY = re.compile(rb"[0-9a-fA-F]{64}")
_PURPOSE = "clapper account 1"  # changes with the fields, so that older cookies end


@dataclass(frozen=True, slots=True)
class AccountSession:
    """One signed-in browser."""

    kind: str  # "hf": a Hugging Face account; "user": one of the user file
    id: str  # what stays: the account's own id at the provider, or the name in the user file
    name: str  # what people read; the account may change it
    until: int  # epoch seconds
    pro: bool = False  # pays the provider for more
    stamp: str = ""  # of the password at the time
    admitted: str = ""  # by which entry of the list of accounts
    nonce: str = field(default="", compare=False)  # no two sign-ins have the same cookie

    @property
    def over(self) -> bool:
        """Return whether its time has come."""
        return time.time() >= self.until


class SessionSigner:
    """Signs sessions into cookies, and reads them back."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self._serializer = URLSafeSerializer(key, salt=_PURPOSE)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Sign with the key of the settings, or else with that in the data directory.

        Raises:
            KeyFileDamaged: as of :meth:`in_folder`.
            KeyFileUnusable: the same.
        """
        key = settings.studio.key
        if key is None:
            return cls.in_folder(settings.data_dir)
        return cls(key.get_secret_value().encode())

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Sign with the key that is a file in ``folder``; made where there is none.

        Raises:
            KeyFileDamaged: the file holds no key; it is left as it is.
            KeyFileUnusable: it cannot be read, or not be made.
        """
        path = folder / KEY_FILE
        try:
            with only_writer_of(path):
                if not path.exists():
                    replace_whole(path, secrets.token_hex(32))
                return cls(_key_in(path))
        except OSError as error:
            raise KeyFileUnusable(str(path), error.strerror or "") from None

    def digest(self, purpose: str, text: str) -> str:
        """Name ``text`` by 32 digits, from which nobody without the key can tell it."""
        key = hmac.digest(self.key, purpose.encode(), "sha256")
        return hmac.digest(key, text.encode(), "sha256").hex()[:32]

    def sign(self, session: AccountSession) -> str:
        """Sign ``session`` into the text of a cookie."""
        return str(self._serializer.dumps(asdict(session) | {"nonce": secrets.token_hex(8)}))

    def read(self, text: str) -> AccountSession | None:
        """Read what :meth:`sign` wrote, also when its time is over; None for anything else."""
        if not text:
            return None
        try:
            fields: dict[str, Any] = self._serializer.loads(text)
            return AccountSession(**fields)
        except (BadData, TypeError):
            return None


def _key_in(path: Path) -> bytes:
    """Read the key in ``path``, which nobody else may read from then on.

    Raises:
        KeyFileDamaged: it is not one, whatever the reason: nothing that is easily guessed is used.
    """
    key = path.read_bytes()
    if not _KEY.fullmatch(key):
        raise KeyFileDamaged(str(path), len(key))
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        log.warning("key_file_was_open", path=str(path), mode=f"{mode:03o}")
        with suppress(OSError):  # it belongs to somebody else, or the file system has no rights
            path.chmod(mode & 0o700)
    return key
