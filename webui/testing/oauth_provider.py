"""The shipped double of Hugging Face's sign-in: an OpenID provider that checks what it is sent."""

import asyncio
import base64
import hashlib
import secrets
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID, CLIENT_SECRET = "studio-under-test", "a-secret-between-the-two"
_CONSENT = (
    "<!doctype html><title>Consent</title><form method=post>"
    "<button name=answer value=allow>Allow</button><button name=answer value=deny>Deny</button>"
    "</form>"
)


@dataclass
class Account:
    """Somebody who has an account there."""

    sub: str
    name: str
    pro: bool = False
    orgs: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()  # orgs whose own sign-in is still owed

    @property
    def profile(self) -> dict[str, Any]:
        """Return what the provider tells of them."""
        orgs = [
            {"sub": f"org-{name}", "preferred_username": name, "pendingSSO": name in self.pending}
            for name in (*self.orgs, *self.pending)
        ]
        return {
            "sub": self.sub,
            "name": self.name.title(),
            "preferred_username": self.name,
            "isPro": self.pro,
            "orgs": orgs,
        }


@dataclass
class Provider:
    """The provider; ``account`` is who sits at the browser."""

    account: Account
    url: str = ""
    broken: str = ""  # an address that answers 503: "token", "userinfo" or "configuration"
    lies: dict[str, Any] = field(default_factory=dict[str, Any])  # over what userinfo says
    asked: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    _codes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    _tokens: dict[str, Account] = field(default_factory=dict[str, Account])
    _key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))

    def app(self) -> Starlette:
        """Return its addresses."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._configuration),
                Route("/oauth/authorize", self._authorize, methods=["GET", "POST"]),
                Route("/oauth/token", self._token, methods=["POST"]),
                Route("/oauth/userinfo", self._userinfo),
                Route("/oauth/jwks", self._keys),
            ]
        )

    async def _configuration(self, _: Request) -> Response:
        if self.broken == "configuration":
            return Response(status_code=503)
        names = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        addresses = {f"{key}_endpoint": f"{self.url}/oauth/{name}" for key, name in names.items()}
        return JSONResponse(
            {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/oauth/jwks",
                "id_token_signing_alg_values_supported": ["RS256"],
                **addresses,
            }
        )

    async def _authorize(self, request: Request) -> Response:
        query = dict(request.query_params)
        wanted = ("client_id", "redirect_uri", "state", "nonce", "code_challenge")
        sound = all(query.get(key) for key in wanted) and query["client_id"] == CLIENT_ID
        if not sound or query["code_challenge_method"] != "S256":
            return Response(status_code=400)
        if request.method == "GET":
            self.asked.append(query)
            return HTMLResponse(_CONSENT)
        async with request.form() as form:
            answer: dict[str, str] = {"state": query["state"]}
            if form.get("answer") == "allow":
                answer["code"] = secrets.token_hex(8)
                self._codes[answer["code"]] = query
            else:
                answer["error"] = "access_denied"
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(answer)}", 303)

    async def _token(self, request: Request) -> Response:
        if self.broken == "token":
            return Response(status_code=503)
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        async with request.form() as form:
            query = self._codes.pop(str(form.get("code")), {})  # each is good for one use
            verifier = str(form.get("code_verifier", "")).encode()
            back = form.get("redirect_uri")
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        known = request.headers.get("authorization") == f"Basic {expected}"
        if not known or digest != query.get("code_challenge") or back != query["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        token = secrets.token_hex(8)
        self._tokens[token] = self.account
        return JSONResponse(
            {"access_token": token, "token_type": "bearer", "id_token": self._claims(query)}
        )

    def _claims(self, query: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": self.account.sub,
            "nonce": query["nonce"],
            "iat": now,
            "exp": now + 60,
        }
        return jwt.encode({"alg": "RS256", "kid": "1"}, claims, self._key)

    async def _userinfo(self, request: Request) -> Response:
        if self.broken == "userinfo":
            return Response(status_code=503)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        account = self._tokens.get(token)
        if account is None:
            return Response(status_code=401)
        return JSONResponse({**account.profile, **self.lies})

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})


@asynccontextmanager
async def providing(account: Account) -> AsyncGenerator[Provider]:
    """Run the provider on a free port of 127.0.0.1 inside the block."""
    provider = Provider(account)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    provider.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(provider.app(), log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield provider
    finally:
        server.should_exit = True
        await serving
        listener.close()
