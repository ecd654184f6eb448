"""Which names the Studio answers to, and whether a request comes from a page of its own.

A browser names the page that asks in ``Origin`` and ``Sec-Fetch-Site``, and the name it went to in
``Host``; a page can change none of the three. A name may be led to any address by whoever owns it
(DNS rebinding), so only names that are configured count; an address in digits cannot be led away.
"""

import re
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from core.settings import Settings

_NAME = re.compile(r"[a-z0-9._:-]+")  # as a Host header has it; colons of IPv6
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PORTS = {"http": 80, "https": 443}
_OWN_SITES = frozenset({"same-origin", "none"})  # "none": typed, or a bookmark
# of proxies; "x-forwarded-…" is looked for by its beginning
_FORWARDED = frozenset(
    {
        "forwarded",
        "via",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-original-forwarded-for",
        "cf-connecting-ip",
        "true-client-ip",
        "fly-client-ip",
        "x-envoy-external-address",
    }
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, name and port of an address; empty or None where it does not say."""

    name: str
    port: int | None = None
    scheme: str = ""

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read the origin in ``text`` (``host:port`` or an address), None for anything else."""
        address = text if "://" in text else f"//{text}"
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:
            return None
        if not parts.hostname or parts.username is not None or parts.password is not None:
            return None
        name = parts.hostname.removesuffix(".")
        return cls(name, port, parts.scheme) if name else None

    @property
    def loopback(self) -> bool:
        """Return whether it is this machine, by a name or address that nobody else can have."""
        if self.name in LOOPBACK or self.name.endswith(".localhost"):
            return True
        try:
            return ip_address(self.name).is_loopback
        except ValueError:
            return False

    @property
    def literal(self) -> bool:
        """Return whether it is an address in digits."""
        try:
            ip_address(self.name)
        except ValueError:
            return False
        return True

    def at(self, scheme: str) -> int:
        """Return the port in force under ``scheme``."""
        return self.port or _PORTS.get(scheme, 0)


@dataclass(frozen=True, slots=True)
class Origins:
    """The names that the Studio has."""

    places: tuple[Origin, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Collect the names that the settings give.

        They are CLAPPER_STUDIO_HOSTS, CLAPPER_STUDIO_URL, what the platform calls a Space, and the
        machine's own name once the page is open to the network.
        """
        texts = [*settings.studio.hosts.split(","), settings.studio.url]
        texts += [f"https://{name.strip()}" for name in settings.space.host.split(",")]
        if settings.studio.host not in LOOPBACK:
            own = socket.gethostname()
            texts += [f"{name}:{settings.studio.port}" for name in (own, f"{own}.local")]
        texts.append(f"{settings.studio.host}:{settings.studio.port}")
        found = (Origin.read(text.strip().lower()) for text in texts)
        return cls(tuple(place for place in found if place is not None))

    def knows(self, host: str) -> bool:
        """Return whether ``host``, of a request's header, is a name of ours."""
        place = Origin.read(host.lower())
        if place is None or "/" in host or "@" in host:
            return False
        return place.loopback or place.literal or any(place.name == own.name for own in self.places)

    def foreign(self, connection: HTTPConnection) -> bool:
        """Return whether a page of another origin asks; programs say nothing and are not foreign.

        Another port and a sibling name are other origins too.
        """
        headers = connection.headers
        site, origins = headers.getlist("sec-fetch-site"), headers.getlist("origin")
        if any(value.lower() not in _OWN_SITES for value in site):
            return True
        if origins:
            return not all(self._own(value, connection) for value in origins)
        # plain http to another machine: browsers leave the two out where nothing is written
        referer = headers.get("referer", "")
        return bool(referer) and not site and not self._own(referer, connection)

    def _own(self, text: str, connection: HTTPConnection) -> bool:
        origin = Origin.read(text.lower())
        if origin is None or origin.scheme not in _PORTS:
            return False  # "null" is a sandboxed page, a file or a redirect from elsewhere
        host = Origin.read(connection.headers.get("host", "").lower())
        if host is not None and host.name == origin.name:
            # a proxy that ends TLS may say nothing of it, so https is never held against a page
            secure = connection.scope.get("scheme") == "https"
            if origin.at(origin.scheme) == host.at(origin.scheme) and not (
                secure and origin.scheme == "http"
            ):
                return True
        return any(_same(origin, own) for own in self.places)


def _same(origin: Origin, own: Origin) -> bool:
    if own.scheme and own.scheme != origin.scheme:
        return False
    return origin.name == own.name and origin.at(origin.scheme) == own.at(origin.scheme)


def unfit_hosts(settings: Settings) -> list[str]:
    """List what CLAPPER_STUDIO_HOSTS names and no browser says: no name, or none in ASCII."""
    listed = [one.strip() for one in settings.studio.hosts.split(",") if one.strip()]
    read = ((one, Origin.read(one.lower())) for one in listed)
    return [one for one, place in read if place is None or not _NAME.fullmatch(place.name)]


def is_local(connection: HTTPConnection) -> bool:
    """Return whether somebody at this machine asks, and no proxy on behalf of somebody else.

    A proxy that adds no header is known by the name that the browser went to: in ``Host``, and
    where the proxy rewrites that, in ``Origin`` or ``Referer``.
    """
    headers = connection.headers
    peer = Origin.read(_bracketed(connection.client.host)) if connection.client else None
    if peer is None or not peer.loopback or _forwarded(headers):
        return False
    said = [headers.get("host", "")]
    said += [headers[name] for name in ("origin", "referer") if name in headers]
    places = [Origin.read(text.lower()) for text in said]
    return all(place is not None and place.loopback for place in places)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _forwarded(headers: Headers) -> bool:
    return any(name in _FORWARDED or name.startswith("x-forwarded") for name in headers)
