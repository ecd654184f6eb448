"""Who looks at the page: the person at the machine, a guest with a cookie, or an account.

A guest's cookie is a secret of 256 bits; rows hold only its hash, so a copy of the database opens
nobody's clips. Programs send a secret of their own as ``X-Clapper-Key`` or bearer instead. An
account is known by its own id and never by the name it shows. What a browser made as a guest stays
visible in it after signing in (``Visitor.earlier``): nothing is moved, and the account pays for
what is new. Guests pay from one account together, because anybody can be as many as they like;
where the GPU is lent to each visitor, each pays with what they get there.
"""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.requests import HTTPConnection

from core.domain.people import Asker, Caller, Payer, Requester
from core.domain.time_units import MINUTE_MS
from core.errors import Refused
from core.settings import Settings
from webui.auth.networks import Networks
from webui.auth.origin import is_local
from webui.auth.session_cookie import COOKIE as ACCOUNT_COOKIE
from webui.auth.session_cookie import AccountSession, SessionSigner
from webui.auth.user_file import UserFile

COOKIE = "clapper_visitor"
KEY_HEADER = "x-clapper-key"
COOKIE_LIFE_S = 400 * 24 * 3600  # the longest that browsers keep
HUGGING_FACE = "hf"  # platform of requesters that signed in there
PRO = "hf-pro"  # role of an account that pays there
NO_ACCOUNT = "anonymous"  # tier of a guest at the GPU's lender
_SHORTEST_KEY = 16
_LEFT = 10_000  # sign-outs that are remembered


class KeyTooShort(Refused):
    """A program's own secret that others could guess; lengths in characters."""

    characters: int
    needed: int = _SHORTEST_KEY


class IdentityNotKept(Refused):
    """Nothing says who asks: no cookie came back, and no key was sent."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """One who asks, and from which account."""

    requester: Requester
    payer: Payer | None = None  # None: their own account, or that of all guests for a guest
    cookie: str | None = None  # to be set, where the browser had none
    account: str = ""  # the name to show; empty for guests
    roles: frozenset[str] = frozenset()
    earlier: Requester | None = None  # the guest that this browser was before
    problem: Refused | None = None  # with the key that was sent
    here: bool = False  # at the machine itself

    @property
    def kept(self) -> bool:
        """Return whether the next request will be known as theirs too."""
        return self.cookie is None and self.problem is None

    @property
    def credited(self) -> bool:
        """Return whether others can be told who made a clip: an account, or whose machine it is."""
        return bool(self.account) or self.here

    def require_kept(self) -> None:
        """Do nothing where what is made now can be found again.

        Raises:
            KeyTooShort: the key is one that others could guess.
            IdentityNotKept: this browser keeps no cookie, or a program sent no key.
        """
        if self.problem is not None:
            raise self.problem.with_traceback(None)
        if not self.kept:
            raise IdentityNotKept

    @property
    def caller(self) -> Caller:
        """Return who asks, for the service."""
        earlier = () if self.earlier is None else (self.earlier,)
        roles = Asker(roles=self.roles)
        return Caller(self.requester, PLATFORM, roles, earlier=earlier, payer=self.payer)


class VisitorAuthenticator:
    """Tells who a connection is."""

    def __init__(
        self,
        settings: Settings,
        users: UserFile | None = None,
        signer: SessionSigner | None = None,
        *,
        days_ms: Mapping[str, int] | None = None,
    ) -> None:
        """Take the user file, and the signer of sessions where anybody can sign in.

        ``days_ms`` is what the GPU is lent for to each visitor a day, by their tier there; None
        where it is ours.
        """
        self.users = users
        self.accounts = settings.sign_in.accounts()
        self.closed = users is not None or bool(self.accounts)  # no guests
        self._signer = signer
        self._left: OrderedDict[str, None] = OrderedDict()  # cookies; a restart forgets them
        self.networks = Networks(settings)
        member, pro = settings.studio.member_minutes, settings.studio.pro_minutes
        self._member_ms = None if member is None else round(member * MINUTE_MS)
        self._pro_ms = self._member_ms if pro is None else round(pro * MINUTE_MS)
        self._days_ms = days_ms
        self._tier = settings.studio.tier  # None: what each one's sign-in says

    def visitor(self, connection: HTTPConnection) -> Visitor | None:
        """Identify who is there; None where an account is needed and nobody is signed in."""
        key = "" if self.closed else key_of(connection)
        if 0 < len(key) < _SHORTEST_KEY:
            nobody = _guest_of(secrets.token_urlsafe(32))
            return Visitor(nobody, Payer.of(nobody), problem=KeyTooShort(len(key)))
        session = None if len(key) >= _SHORTEST_KEY else self.session(connection)
        if session is not None and not session.over and self._still(session):
            return self._signed_in(session, connection)
        return None if self.closed else self._guest(connection)

    def session(self, connection: HTTPConnection) -> AccountSession | None:
        """Read the session of a browser, also one that is over; None once it signed out."""
        cookie = connection.cookies.get(ACCOUNT_COOKIE, "")
        if self._signer is None or cookie in self._left:
            return None
        return self._signer.read(cookie)

    def leave(self, connection: HTTPConnection) -> None:
        """End the session of a browser: a copy of its cookie, or a stream, ends with it."""
        if self.session(connection) is not None:
            self._left[connection.cookies[ACCOUNT_COOKIE]] = None
            while len(self._left) > _LEFT:
                self._left.popitem(last=False)

    def _still(self, session: AccountSession) -> bool:
        """Check whether what once let this account in is still so."""
        if session.kind == HUGGING_FACE:
            return not self.closed or session.admitted in self.accounts
        user = self.users.get(session.id) if self.users else None
        return user is not None and user.salt == session.stamp

    def _signed_in(self, session: AccountSession, connection: HTTPConnection) -> Visitor:
        if session.kind == HUGGING_FACE:
            secret = "" if self.closed else connection.cookies.get(COOKIE, "")
            requester = Requester(HUGGING_FACE, session.id)
            limit = self._pro_ms if session.pro else self._member_ms
            tier = "pro" if session.pro else "free"
            return Visitor(
                requester,
                self._borrower(Payer(requester.key, limit), tier),
                account=session.name,
                roles=frozenset({PRO}) if session.pro else frozenset(),
                earlier=_guest_of(secret) if len(secret) >= _SHORTEST_KEY else None,
            )
        user = self.users.get(session.id) if self.users else None
        minutes = user.minutes if user else None
        limit = None if minutes is None else round(minutes * MINUTE_MS)
        requester = Requester(PLATFORM, f"user-{session.id}")
        payer = self._borrower(Payer(requester.key, limit), NO_ACCOUNT)
        return Visitor(requester, payer, account=session.name)

    def _guest(self, connection: HTTPConnection) -> Visitor:
        secret = key_of(connection) or connection.cookies.get(COOKIE) or ""
        fresh = len(secret) < _SHORTEST_KEY
        if fresh:
            secret = secrets.token_urlsafe(32)
        requester = _guest_of(secret)
        if self._days_ms is not None:  # each in their own name, and so from their own account
            alone = Payer(requester.key, network=self.networks.of(connection))
            payer = self._borrower(alone, NO_ACCOUNT)
        elif is_local(connection):
            payer = Payer(requester.key)
        else:
            payer = Payer.guest(self.networks.of(connection))
        here = self._days_ms is None and is_local(connection)
        return Visitor(requester, payer, secret if fresh else None, here=here)

    def _borrower(self, payer: Payer, tier: str) -> Payer:
        """Return ``payer`` with what the lender gives an account of ``tier`` a day."""
        if self._days_ms is None:
            return payer
        known = self._tier or tier
        day_ms = self._days_ms[known]
        limit_ms = day_ms if payer.limit_ms is None else min(day_ms, payer.limit_ms)
        return replace(payer, limit_ms=limit_ms, tier=known)


def key_of(connection: HTTPConnection) -> str:
    """Return the secret that a program sends; agents can often send it as a bearer only."""
    kind, _, bearer = connection.headers.get("authorization", "").partition(" ")
    return connection.headers.get(KEY_HEADER) or (bearer if kind.lower() == "bearer" else "")


def _guest_of(secret: str) -> Requester:
    name = hashlib.sha256(secret.encode()).hexdigest()[:32]
    return Requester(PLATFORM, f"guest-{name}")


PLATFORM = "studio"
