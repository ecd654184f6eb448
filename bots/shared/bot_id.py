"""Which bot a token belongs to, without asking its platform: the name of what one node holds."""

import hashlib
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64

from pydantic import SecretStr


def discord_bot(token: SecretStr | None) -> str:
    """Return the id of a Discord bot: its token begins with it, in base64."""
    text = _text(token)
    first = text.partition(".")[0]
    try:
        found = urlsafe_b64decode(first + "=" * (-len(first) % 4)).decode("ascii")
    except (NotBase64, ValueError):
        found = ""
    return found if found.isdecimal() else _digest(text)


def telegram_bot(token: SecretStr | None) -> str:
    """Return the id of a Telegram bot: its token begins with it."""
    text = _text(token)
    found = text.partition(":")[0]
    return found if found.isascii() and found.isdecimal() else _digest(text)


def _text(token: SecretStr | None) -> str:
    return "" if token is None else token.get_secret_value()


def _digest(text: str) -> str:
    """Name a token that does not say whose it is, without telling any of it."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
