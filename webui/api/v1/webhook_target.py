"""Where messages may be sent: addresses of the public internet, looked at before each connection.

A name is resolved once, every address that it has is checked, and the connection goes to one that
was checked: nobody can lead the name elsewhere in between. The name is still what the certificate
has to be of.

The system's resolver cannot be stopped: a name whose server is silent holds a thread for half a
minute. Names have threads of their own, so that nothing else of the service waits for one.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

import httpx2

from core.errors.programs import WebhookRefused

RESOLVE_S = 5.0
_PUBLIC = IPv6Network("2000::/3")  # what is given out of IPv6 at all; source: IANA
# what older versions of Python take for public; source: IANA's registries of special addresses
_SPECIAL_4 = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")))
_SPECIAL_6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "3fff::/20")))
# addresses of IPv4 inside others: the last 32 bits of NAT64 (RFC 6052), bits 16 to 48 of 6to4
_NAT64, _6TO4 = IPv6Network("64:ff9b::/96"), IPv6Network("2002::/16")
_PORTS = {"http": 80, "https": 443}
_RESOLVERS = ThreadPoolExecutor(4, thread_name_prefix="names")


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """One checked address, and how to ask for what is there."""

    scheme: str
    name: str  # as the certificate and the Host header have it
    address: str  # in digits
    port: int
    path: str

    @property
    def url(self) -> str:
        """Return the address to connect to."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    @property
    def host(self) -> str:
        """Return the Host header."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}"


async def find_target(url: str, *, loopback: bool) -> WebhookTarget:
    """Resolve and check ``url``.

    Args:
        url: as a program wrote it.
        loopback: this machine itself may be told, also without https.

    Raises:
        WebhookRefused: no message may go there.
    """
    parts = _parts(url)
    name, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    found = await _resolve(name, port)
    here = all(address.is_loopback for address in found)
    if parts.scheme == "http" and not (loopback and here):
        raise WebhookRefused(name[:80], "webhook_scheme")
    if not (loopback and here) and not all(is_public(address) for address in found):
        raise WebhookRefused(name[:80], "webhook_address")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return WebhookTarget(parts.scheme, name, str(found[0]), port, path)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether anybody can reach ``address`` from anywhere, and nobody's own network is it."""
    if isinstance(address, IPv4Address):
        special = any(address in network for network in _SPECIAL_4)
        return address.is_global and not (special or address.is_multicast or address.is_reserved)
    inner = address.ipv4_mapped
    if address in _NAT64:
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
    elif address in _6TO4:
        inner = IPv4Address((int(address) >> 80) & 0xFFFFFFFF)
    if inner is not None:
        return is_public(inner)
    special = any(address in network for network in _SPECIAL_6)
    return address in _PUBLIC and address.is_global and not special


def _parts(url: str) -> SplitResult:
    """Take ``url`` apart.

    Raises:
        WebhookRefused: it is no address, or of another kind.
    """
    try:
        parts = urlsplit(url if url.isascii() else str(httpx2.URL(url)))  # in ASCII, as it is sent
        port = parts.port
    except (ValueError, httpx2.InvalidURL):
        raise WebhookRefused(url[:80], "webhook_host") from None
    shown = (parts.hostname or url)[:80]
    if parts.scheme not in _PORTS:
        raise WebhookRefused(shown, "webhook_scheme")
    plain = url.isprintable() and " " not in url and "\\" not in url
    if not parts.hostname or parts.username is not None or port == 0 or not plain:
        raise WebhookRefused(shown, "webhook_host")
    return parts


def _look_up(name: str, port: int) -> list[str]:
    """Return every address of ``name``, without the zone of a network beside us."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]).partition("%")[0] for one in found]


async def _resolve(name: str, port: int) -> list[IPv4Address | IPv6Address]:
    """Return every address of ``name``; digits of any spelling are read as the system reads them.

    Raises:
        WebhookRefused: it has none.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_S):
            found = await loop.run_in_executor(_RESOLVERS, _look_up, name, port)
    except (OSError, UnicodeError, TimeoutError):
        raise WebhookRefused(name[:80], "webhook_unresolved") from None
    return [ip_address(text) for text in dict.fromkeys(found)]
