# authlib has no types
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
"""Signing in with Hugging Face: OpenID Connect, with state, nonce and PKCE, by authlib.

Gradio's own button is not used (ADR 11): away from Hugging Face it signs every visitor in as
the operator. The provider's token is used once, to read the profile, and forgotten.
"""

import time
from dataclasses import dataclass
from typing import Any

import httpx2  # the client that authlib speaks through
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.base_client.errors import MismatchingStateError, OAuthError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import Response

from core.errors import ClapperError, Refused
from webui.auth.session_cookie import AccountSession
from webui.auth.visitors import HUGGING_FACE

log = structlog.get_logger(__name__)

_PATIENCE_S = 10.0  # one request to the provider


class SignInDenied(Refused):
    """The person did not allow it at the provider."""


class SignInStale(Refused):
    """The answer does not belong to a sign-in that this browser began."""


class SignInUnavailable(Refused):
    """The provider does not answer."""


class SignInFailed(Refused):
    """The provider's answer is not what it should be."""


class SignInNotListed(Refused):
    """The account is real, and not among those that the operator named."""


class SignInExpired(Refused):
    """The session's time is over."""


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """What the operator registered at the provider."""

    client_id: str
    client_secret: str
    provider: str  # base address of the OpenID provider
    scopes: str
    hours: float  # that a session lasts
    accounts: frozenset[str]  # who may enter, in lower case; empty: anybody


class HuggingFace:
    """The two halves of a sign-in."""

    def __init__(self, app: OAuthApp) -> None:
        self._app = app
        self._client: Any = OAuth().register(
            "huggingface",
            client_id=app.client_id,
            client_secret=app.client_secret,
            server_metadata_url=f"{app.provider.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": " ".join({"openid": "", **dict.fromkeys(app.scopes.split(), "")}),
                "code_challenge_method": "S256",
                "timeout": _PATIENCE_S,
            },
        )

    async def begin(self, request: Request, redirect_uri: str) -> Response:
        """Send the browser to the provider.

        Raises:
            SignInUnavailable: it does not answer.
            SignInFailed: it answers something else.
            _meaning: either of them.
        """
        try:
            return await self._client.authorize_redirect(request, redirect_uri)
        except (httpx2.HTTPError, AuthlibBaseError, RuntimeError, ValueError, KeyError) as error:
            raise _meaning(error) from None

    async def finish(self, request: Request) -> AccountSession:
        """Finish the sign-in of who came back from the provider.

        Raises:
            SignInDenied: the person said no.
            SignInStale: not the answer to a sign-in of this browser.
            SignInUnavailable: the provider does not answer.
            SignInFailed: it answers something else.
            SignInNotListed: the operator did not name this account.
            _meaning: one of the first four.
        """
        try:
            token: dict[str, Any] = await self._client.authorize_access_token(request)
            profile: dict[str, Any] = dict(await self._client.userinfo(token=token))
            return self._session(token.get("userinfo") or {}, profile)
        except (
            httpx2.HTTPError,
            AuthlibBaseError,
            JoseError,
            RuntimeError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
        ) as error:
            raise _meaning(error) from None

    def _session(self, claims: dict[str, Any], profile: dict[str, Any]) -> AccountSession:
        """Make the session of a profile that belongs to the signed claims.

        Raises:
            SignInFailed: it belongs to somebody else.
            SignInNotListed: the operator did not name this account.
        """
        subject = str(profile.get("sub") or "")
        if not subject or claims.get("sub") != subject:
            raise SignInFailed
        name = str(profile.get("preferred_username") or profile.get("name") or subject)
        keys = _keys(subject, name, profile)
        admitted = next((key for key in keys if key in self._app.accounts), "")
        if self._app.accounts and not admitted:
            raise SignInNotListed
        until = int(time.time() + self._app.hours * 3600)
        pro = profile.get("isPro") is True
        return AccountSession(HUGGING_FACE, subject, name, until, pro, admitted=admitted)


def _keys(subject: str, name: str, profile: dict[str, Any]) -> list[str]:
    """Return by what the operator may have named this account, in lower case.

    Ids have a mark of their own: nobody can get in by calling themselves like somebody's id.
    """
    keys = [f"id:{subject}", name]
    organisations: list[dict[str, Any]] = profile.get("orgs") or []
    for one in organisations:
        if one.get("pendingSSO") or one.get("missingMFA"):  # it would not let them in itself
            continue
        keys += [f"id:{one.get('sub', '')}", str(one.get("preferred_username", ""))]
    return [key.lower() for key in keys if key]


def _meaning(error: Exception) -> ClapperError:
    """Translate the library's error into ours."""
    log.info("sign_in_failed", kind=type(error).__name__, reason=getattr(error, "error", ""))
    if isinstance(error, MismatchingStateError):
        return SignInStale()
    if isinstance(error, httpx2.TransportError | httpx2.HTTPStatusError):
        return SignInUnavailable()
    if isinstance(error, OAuthError) and error.error == "access_denied":
        return SignInDenied()
    return SignInFailed()
