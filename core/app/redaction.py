"""Take secrets out of finished text: those that are known, and whatever looks like one.

A secret is hidden however it is written: as it is, in JSON, as Python shows it, in an address.
"""

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit

HIDDEN = "[hidden]"
_SHORTEST = 8  # characters; a shorter one may stand in any word
# The Telegram token stands in every request's address, Discord's and the Hub's may stand in errors.
_TOKENS = re.compile(
    r"\d{6,12}:[A-Za-z0-9_-]{30,}"
    r"|[A-Za-z0-9_-]{23,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}"
    r"|hf_[A-Za-z0-9]{20,}"
    r"|clapper-node-[A-Za-z0-9_-]{20,}"
    r"|clapper_[0-9a-f]{8}_[A-Za-z0-9_-]{20,}"
    r"|whsec_[A-Za-z0-9_-]{20,}"
    r"|(?i:bearer)\s+[A-Za-z0-9._-]{16,}"
    r"|aW50ZXJhY3Rpb2[A-Za-z0-9_-]{16,}"  # Discord's interactions: what may answer for us
)
# what stands in the place of a secret, whatever it looks like; the place itself stays
_PLACES = re.compile(
    r"((?i:[?&;](?:[\w.-]*(?:token|secret|password|passwd|signature|credential)"
    r"|api_?key|sig|pwd|code|state)=|(?:^|[\s\"'(])(?:password|passwd|pwd)=))[^&;#\s\"'<>\\]+"
    r"|((?i:authorization[\"']?\s*[:=,]\s*[\"']?basic\s+))[A-Za-z0-9+/=_-]+"
    r"|(://[^/\s:@\"']*:)[^/\s@\"']+(?=@)"
)


class Redaction:
    """Replaces known secrets and whatever looks like a token."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {form for secret in secrets for form in _forms(secret)}
        parts = sorted(map(re.escape, known), key=len, reverse=True)
        self._known = re.compile("|".join(parts)) if parts else None

    def __call__(self, text: str) -> str:
        """Return ``text`` without secrets."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        text = _TOKENS.sub(HIDDEN, text)
        return _PLACES.sub(lambda found: f"{found[found.lastindex or 0]}{HIDDEN}", text)


def _forms(secret: str) -> Iterator[str]:
    """Give every way in which ``secret``, or the password in an address, may be written down."""
    for value in (secret, *_passwords(secret)):
        if len(value) < _SHORTEST:
            continue
        plain = {value, quote(value), quote(value, safe=""), quote_plus(value)}
        shown = plain | {repr(one)[1:-1] for one in plain}
        yield from shown
        for one in shown:
            yield json.dumps(one)[1:-1]
            yield json.dumps(one, ensure_ascii=False)[1:-1]


def _passwords(secret: str) -> Iterator[str]:
    """Give the password of an address, as it stands there and as a server reads it.

    One that stands elsewhere in the address too, such as ``postgres``, is a word of every log.
    """
    try:
        password = urlsplit(secret).password or ""
    except ValueError:
        return
    if password and secret.count(password) == 1:
        yield from {password, unquote(password)}
