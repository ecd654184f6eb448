"""Who looks at the page: the person at the machine, a guest with a cookie, or an account.

A guest's cookie is a secret of 256 bits; rows hold only its hash, so a copy of the database opens
nobody's clips. Programs send the same secret in the header ``X-Clapper-Key`` instead.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from starlette.requests import HTTPConnection

from core.desk import Person
from core.jobs import Requester
from core.settings import Settings
from webui.delivery import PLATFORM
from webui.users import Users

COOKIE = "clapper_visitor"
KEY_HEADER = "x-clapper-key"
COOKIE_LIFE_S = 400 * 24 * 3600  # the longest that browsers keep
_SHORTEST_KEY = 16
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "x-forwarded-host")


@dataclass(frozen=True, slots=True)
class Visitor:
    """One who asks; ``limit_ms`` is their allowance in GPU-milliseconds, None for the usual one."""

    requester: Requester
    limit_ms: int | None = None
    cookie: str | None = None  # to be set, where the browser had none

    @property
    def person(self) -> Person:
        """Return the same for the desk."""
        return Person(self.requester, PLATFORM)


class Doorkeeper:
    """Says who a connection is."""

    def __init__(self, settings: Settings, users: Users | None) -> None:
        self.users = users
        self._guest_ms = round(settings.studio_guest_minutes * 60_000)

    def visitor(self, connection: HTTPConnection) -> Visitor | None:
        """Return who is there; None where an account is needed and nobody is logged in."""
        if self.users is not None:
            return self._account(connection, self.users)
        secret = connection.headers.get(KEY_HEADER) or connection.cookies.get(COOKIE) or ""
        fresh = len(secret) < _SHORTEST_KEY
        if fresh:
            secret = secrets.token_urlsafe(32)
        limit = None if is_local(connection) else self._guest_ms
        name = hashlib.sha256(secret.encode()).hexdigest()[:32]
        return Visitor(Requester(PLATFORM, f"guest-{name}"), limit, secret if fresh else None)

    def _account(self, connection: HTTPConnection, users: Users) -> Visitor | None:
        app: Any = connection.scope.get("app")
        token = connection.cookies.get(f"access-token-{app.cookie_id}") or connection.cookies.get(
            f"access-token-unsecure-{app.cookie_id}"
        )
        tokens: dict[str | None, str] = app.tokens
        user = users.get(tokens.get(token, ""))
        if user is None:
            return None
        limit = None if user.minutes is None else round(user.minutes * 60_000)
        return Visitor(Requester(PLATFORM, f"user-{user.name}"), limit)


def is_local(connection: HTTPConnection) -> bool:
    """Return whether somebody at this machine asks, and no proxy on behalf of somebody else."""
    host = connection.client.host if connection.client else ""
    forwarded = any(name in connection.headers for name in _FORWARDED)
    return host in _LOOPBACK and not forwarded
