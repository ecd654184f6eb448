"""The addresses of signing in and out, and the page in front of a Studio without guests."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from string import Template
from time import time
from typing import Self
from urllib.parse import urlencode

from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route

from core.errors import ClapperError, Refused
from core.i18n.messages import say
from core.runtime.throttle import TooManyTries
from core.settings import Settings
from webui.answer_headers import PRIVATE
from webui.auth import hugging_face as hf
from webui.auth.cookies import at_the_top, partition_last
from webui.auth.hugging_face import HuggingFace
from webui.auth.middleware import visitor_of
from webui.auth.passwords import BROWSER_COOKIE, PasswordSignIn, SignInBusy, WrongPassword, typed_in
from webui.auth.session_cookie import COOKIE, AccountSession, SessionSigner
from webui.auth.sign_in_sources import sign_in_sources
from webui.auth.user_file import UserFile
from webui.auth.visitors import COOKIE_LIFE_S, VisitorAuthenticator
from webui.views.errors import error_view

_PAGE = Path(__file__).resolve().parents[1] / "assets" / "sign_in.html"
# read by the page's script: what was typed into the forms is kept for this account only
WHOSE = "clapper_who"
_UNDER_WAY_S = 600  # between leaving for the provider and coming back


_PROBLEMS: dict[str, type[Refused]] = {  # what an address may ask to be told
    kind.code: kind
    for kind in (
        WrongPassword,
        hf.SignInDenied,
        hf.SignInStale,
        hf.SignInUnavailable,
        hf.SignInFailed,
        hf.SignInExpired,
        hf.SignInNotListed,
    )
}


@dataclass(frozen=True, slots=True)
class SignInMethods:
    """What there is to sign in with, built once from the settings."""

    users: UserFile | None
    provider: HuggingFace | None
    authenticator: VisitorAuthenticator
    signer: SessionSigner | None

    @classmethod
    def of(cls, settings: Settings, days_ms: Mapping[str, int] | None = None) -> Self:
        """Build what the settings describe; ``days_ms`` as of :class:`VisitorAuthenticator`.

        Raises:
            BadConfiguration: half of the app is missing, nobody could get in, or everybody.
        """
        users, app = sign_in_sources(settings)
        needed = users is not None or app is not None
        signer = SessionSigner.of(settings) if needed else None
        provider = HuggingFace(app) if app else None
        authenticator = VisitorAuthenticator(settings, users, signer, days_ms=days_ms)
        return cls(users, provider, authenticator, signer)


class SignInRoutes:
    """Answers of the addresses that have to do with accounts."""

    def __init__(self, sign_in: SignInMethods, settings: Settings) -> None:
        self._methods = sign_in
        self._settings = settings
        users, signer = sign_in.users, sign_in.signer
        self._passwords = (
            PasswordSignIn(users, signer) if users is not None and signer is not None else None
        )

    def all(self) -> list[Route]:
        """Return every route; none where there is nothing to sign in with."""
        if self._methods.signer is None:
            return []
        routes = [
            Route("/studio/account", self._account),
            Route("/login", self._password, methods=["POST"]),
            Route("/logout", self._leave),
        ]
        if self._methods.provider is not None:
            routes += [
                Route("/login/huggingface", self._begin),
                Route("/login/callback", self._finish),
            ]
        return routes

    def middleware(self) -> list[Middleware]:
        """Return what remembers a sign-in that is under way, where there can be one."""
        signer = self._methods.signer
        if self._methods.provider is None or signer is None:
            return []
        framed = self._settings.on_space
        return [
            Middleware(
                SessionMiddleware,
                secret_key=signer.key.decode(),
                session_cookie="clapper_sign_in",
                max_age=_UNDER_WAY_S,
                same_site="none" if framed else "lax",
                https_only=framed,  # over https the middleware marks every cookie
            )
        ]

    def sign_in_page(self, connection: HTTPConnection) -> Response:
        """Show the page of those who have to sign in first."""
        return self._sign_in_page(self._problem(connection), 401)

    def _sign_in_page(self, problem: ClapperError | None, status: int) -> Response:
        told = ""
        if problem is not None:
            text = escape(error_view(problem).text)
            told = f'<p role="alert">{text}</p>'
        words = {
            "title": escape(say("studio_login")),
            "problem": told,
            "form": _form() if self._methods.users else "",
            "link": _link() if self._methods.provider else "",
        }
        page = Template(_PAGE.read_text("utf-8")).substitute(words)
        return HTMLResponse(page, status, headers=PRIVATE)

    async def _account(self, request: Request) -> Response:
        visitor, problem = visitor_of(request), self._problem(request)
        name = visitor.account if visitor else ""
        body = {
            "name": name,
            "text": say("studio_signed_in", {"name": name}) if name else "",
            "link": {"href": "logout", "label": say("studio_sign_out")}
            if name
            else {"href": "login/huggingface", "label": say("studio_sign_in")},
            "problem": asdict(error_view(problem)) if problem else None,
        }
        return JSONResponse(body, headers=PRIVATE)

    def _problem(self, connection: HTTPConnection) -> ClapperError | None:
        """Return what went wrong: what the address names, or a session that is over."""
        query = connection.query_params
        told = _PROBLEMS.get(query.get("sign_in", ""))
        if told is not None:
            return told()
        session = self._methods.authenticator.session(connection)
        return hf.SignInExpired() if session is not None and session.over else None

    async def _begin(self, request: Request) -> Response:
        provider = self._methods.provider
        assert provider is not None  # noqa: S101  # the route exists only with it
        try:
            return await provider.begin(request, self._return_address(request))
        except ClapperError as error:
            return _back(error)

    async def _finish(self, request: Request) -> Response:
        provider = self._methods.provider
        assert provider is not None  # noqa: S101  # the route exists only with it
        try:
            session = await provider.finish(request)
        except ClapperError as error:
            return _back(error)
        return self._signed_in(request, session, RedirectResponse("/", 303))

    def _return_address(self, request: Request) -> str:
        """Return where the provider sends people back to; it has to be known there."""
        if self._settings.space.host:
            host = self._settings.space.host.partition(",")[0].strip()
            return f"https://{host}/login/callback"
        if self._settings.studio.url:
            return f"{self._settings.studio.url.rstrip('/')}/login/callback"
        return str(request.base_url) + "login/callback"

    async def _password(self, request: Request) -> Response:
        asks_for_page = "text/html" in request.headers.get("accept", "")
        typed = await typed_in(request)
        if typed is None:
            return PlainTextResponse("", 413)
        try:
            if self._passwords is None:  # only accounts of the provider enter
                raise WrongPassword  # noqa: TRY301  # told as for a name that is not in the file
            user = await self._passwords.admit(request, *typed)
        except (TooManyTries, SignInBusy) as error:
            answer = self._later(error, asks_for_page=asks_for_page)
            answer.headers["Retry-After"] = str(error.wait_s)
            return answer
        except WrongPassword as error:
            detail = {"detail": error_view(error).text}
            return _back(error) if asks_for_page else JSONResponse(detail, 400)
        until = int(time() + self._settings.sign_in.hours * 3600)
        session = AccountSession("user", user.name, user.name, until, stamp=user.salt)
        answer = RedirectResponse("/", 303) if asks_for_page else JSONResponse({"success": True})
        mark = self._passwords.mark_of(user)
        self._set_cookie(request, answer, BROWSER_COOKIE, mark, COOKIE_LIFE_S)
        return self._signed_in(request, session, answer)

    def _later(self, error: TooManyTries | SignInBusy, *, asks_for_page: bool) -> Response:
        status = 429 if isinstance(error, TooManyTries) else 503
        if asks_for_page:
            return self._sign_in_page(error, status)
        return JSONResponse({"detail": error_view(error).text}, status, headers=PRIVATE)

    def _signed_in(self, request: Request, session: AccountSession, answer: Response) -> Response:
        assert self._methods.signer is not None  # noqa: S101  # see all()
        life = max(0, session.until - int(time())) + 30 * 24 * 3600  # so that its end can be told
        self._set_cookie(request, answer, COOKIE, self._methods.signer.sign(session), life)
        self._set_cookie(request, answer, WHOSE, _mark(session), life)
        return answer

    async def _leave(self, request: Request) -> Response:
        self._methods.authenticator.leave(request)
        answer = RedirectResponse("/", 303)
        for cookie in (COOKIE, WHOSE):
            self._set_cookie(request, answer, cookie, "", 0)
        return answer

    def _set_cookie(
        self, request: Request, answer: Response, name: str, text: str, life_s: int
    ) -> None:
        framed = self._settings.on_space  # inside a page of another site
        if framed and not life_s:
            answer.delete_cookie(COOKIE, secure=True, httponly=True, samesite="none")
        answer.set_cookie(
            name,
            text,
            max_age=life_s,
            secure=framed or request.url.scheme == "https",
            httponly=name != WHOSE,
            samesite="none" if framed else "lax",
        )
        if framed and (not life_s or not at_the_top(request)):
            partition_last(answer)
        answer.headers.update(PRIVATE)


def _mark(session: AccountSession) -> str:
    """Return what tells accounts apart for the page's script, without their names."""
    return hashlib.sha256(f"{session.kind}:{session.id}".encode()).hexdigest()[:16]


def _back(error: ClapperError) -> Response:
    """Return to the page, which tells what went wrong."""
    return RedirectResponse("/?" + urlencode({"sign_in": error.code}), 303, headers=PRIVATE)


def _form() -> str:
    name, password = escape(say("studio_login_name")), escape(say("studio_login_password"))
    return (
        '<form method="post" action="login">'
        f'<label>{name}<input name="username" autocomplete="username" required></label>'
        f'<label>{password}<input name="password" type="password"'
        ' autocomplete="current-password" required></label>'
        f"<button>{escape(say('studio_login_go'))}</button></form>"
    )


def _link() -> str:
    return f'<a href="login/huggingface">{escape(say("studio_sign_in"))}</a>'
