"""Keys of the gate: the token of a node, and what it is given for each attempt.

A token is random and kept as its digest alone. The key of an attempt is derived of that digest and
of the token that owns the row, so that it is worth nothing with the token of another node.
"""

import hashlib
import hmac
import re
from secrets import token_urlsafe

_PREFIX = "clapper-node-"
TOKEN = re.compile(rf"{_PREFIX}[A-Za-z0-9_-]{{43}}")


def new_token() -> str:
    """Make the token of a node: 256 random bits behind a word that scanners find."""
    return _PREFIX + token_urlsafe(32)


def digest_of(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def attempt_key(node_digest: str, job_id: str, row_token: str) -> str:
    """Derive what a node shows for its attempt at a job: 64 hex digits."""
    attempt = f"{job_id}.{row_token}".encode()
    return hmac.new(bytes.fromhex(node_digest), attempt, hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare two keys in a time that says nothing of them."""
    return hmac.compare_digest(one.encode(), other.encode())


def stem_of(job_id: str, key: str) -> str:
    """Return the name of an attempt's clip and poster, without their ends."""
    return f"{job_id}.{key[:8]}"
