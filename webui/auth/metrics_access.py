"""Who may read ``/metrics``: everybody on an open Studio, else only who has the token."""

import hmac
from time import monotonic

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core.i18n.messages import explain, say
from core.runtime.throttle import SecretThrottle, TooManyTries
from core.settings import Settings
from webui.answer_headers import PRIVATE
from webui.auth.client_address import address_of
from webui.auth.passwords import refused

_ADDRESS = "metrics"  # how it is called in the log
_ASK = {**PRIVATE, "WWW-Authenticate": 'Bearer realm="metrics"'}


class MetricsAccess:
    """Asks for ``CLAPPER_METRICS_TOKEN`` where one is set."""

    def __init__(self, settings: Settings, *, closed: bool) -> None:
        """Take the token, and whether the Studio is ``closed`` to guests."""
        token = settings.metrics.token
        self._token = token.get_secret_value().encode() if token else None
        self._closed = closed
        self._throttle = SecretThrottle(monotonic, size=1000)

    def refusal(self, request: Request) -> Response | None:
        """Return the answer to who may not read the figures, None to all others."""
        if self._token is None:
            return PlainTextResponse(say("metrics_closed"), 403) if self._closed else None
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return PlainTextResponse(say("metrics_token_needed"), 401, headers=_ASK)
        address = address_of(request)
        try:
            self._throttle.begin(_ADDRESS, address)
        except TooManyTries as error:
            refused("too_many", _ADDRESS, address)
            wait = {"Retry-After": str(error.wait_s)}
            return PlainTextResponse(explain(error), 429, headers=wait)
        if hmac.compare_digest(given.strip().encode(), self._token):
            self._throttle.succeeded(_ADDRESS, address)
            return None
        refused("wrong", _ADDRESS, address)
        return PlainTextResponse(say("metrics_token_needed"), 401, headers=_ASK)
