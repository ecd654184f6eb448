"""Check passwords that people type: not too often, few at once, each refusal a line in the log."""

import asyncio
import re
import secrets
from time import monotonic

import structlog
from itsdangerous import BadData, URLSafeSerializer
from starlette.requests import Request
from starlette.types import Message

from core.errors import Refused
from core.runtime.throttle import SecretThrottle, TooManyTries
from webui.auth.client_address import address_of
from webui.auth.session_cookie import SessionSigner
from webui.auth.user_file import NAME_CHARACTERS, User, UserFile

log = structlog.get_logger(__name__)

BROWSER_COOKIE = "clapper_browser"  # says that this browser signed in as an account before
_PURPOSE = "clapper browser 1"
_AT_ONCE = 2  # of 16 MB and a core each
_WAITING = 20  # about half a second of work for the two
_FORM_BYTES = 10_000
_PLAIN = re.compile(r"[^\w.@+-]")


class WrongPassword(Refused):
    """No such account, or not its password."""


class SignInBusy(Refused):
    """More people sign in now than can be looked at; there is room in ``wait_s`` seconds."""

    wait_s: int


class PasswordSignIn:
    """Lets people of the user file in."""

    def __init__(self, users: UserFile, signer: SessionSigner) -> None:
        self._users = users
        self._throttle = SecretThrottle(monotonic)
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._inside = 0
        self._browsers = URLSafeSerializer(signer.key, salt=_PURPOSE)

    async def admit(self, request: Request, name: str, password: str) -> User:
        """Check a name and its password, and return the account.

        Raises:
            WrongPassword: there is none, or this is not its password; both take as long.
            TooManyTries: whatever the password is, it was not looked at.
            SignInBusy: likewise.
        """
        address, browser = address_of(request), self._browser(request, name)
        if self._inside >= _AT_ONCE + _WAITING:
            refused("busy", name, address)
            raise SignInBusy(1)
        try:
            self._throttle.begin(name, address, browser)
        except TooManyTries:
            refused("too_many", name, address)
            raise
        self._inside += 1
        try:
            async with self._slots:
                right = await asyncio.to_thread(self._users.admit, name, password)
        finally:
            self._inside -= 1
        user = self._users.get(name)
        if not right or user is None:
            refused("wrong", name, address)
            raise WrongPassword
        self._throttle.succeeded(name, address, browser)
        return user

    def mark_of(self, user: User) -> str:
        """Return the value of :data:`BROWSER_COOKIE` for a browser that signed in as ``user``."""
        return str(self._browsers.dumps([user.name, secrets.token_hex(8)]))

    def _browser(self, request: Request, name: str) -> str:
        """Return the id of a browser that signed in as ``name`` before; empty for all others."""
        try:
            account, browser = self._browsers.loads(request.cookies.get(BROWSER_COOKIE, ""))
        except (BadData, TypeError, ValueError):
            return ""
        return str(browser) if account == name else ""


def refused(why: str, account: str, address: str) -> None:
    """Write the line that a firewall may ban by; what was typed cannot forge parts of it.

    Args:
        why: ``wrong``, ``too_many`` or ``busy``.
        account: the name that was typed, or the address of ours that needs a secret.
        address: of who asked.
    """
    name = _PLAIN.sub("?", account[:NAME_CHARACTERS]) or "-"
    log.warning("sign_in_refused", account=name, address=address, why=why)


async def typed_in(request: Request) -> tuple[str, str] | None:
    """Return name and password of a small form; None where it is larger than any of those."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_BYTES:
            return None

    async def again() -> Message:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    async with Request(request.scope, again).form(max_files=0, max_fields=8) as form:
        return str(form.get("username", "")).strip(), str(form.get("password", ""))
