"""The gate for rented machines: where a front opens it, and where a worker goes through it."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from core.runtime.paths import Place
from core.settings.area import Area
from core.settings.kinds import ListeningHost, WebAddress
from core.settings.problems import SettingRefused

_LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})


def safe_address(text: str) -> str:
    """Return ``text``: a token and prompts go there, so plain HTTP only on this machine.

    Raises:
        SettingRefused: others could read them on the way.
    """
    parts = urlsplit(text)
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        raise SettingRefused("setting_gate_plain")
    return text.rstrip("/")


class GateSettings(Area):
    """The port of a front, and the address and token of a worker; without a port there is none."""

    prefix = "CLAPPER_GATE_"

    port: int | None = Field(default=None, ge=0, le=65535)  # empty: none; 0: any free port
    host: ListeningHost = "127.0.0.1"  # loopback; a reverse proxy with HTTPS lies before it
    certificate: Place | None = None  # PEM; else HTTPS is the proxy's
    certificate_key: Place | None = None
    url: Annotated[WebAddress, AfterValidator(safe_address)] = ""  # of a worker: https://…
    authority: Place | None = None  # of a worker: PEM of who signed the gate's certificate
    token: SecretStr | None = None  # of a worker: from `clapper nodes token`
