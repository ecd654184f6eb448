"""Where a request comes from, as far as it can be believed."""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection

UNKNOWN = "unknown"
_LOOPBACK = ipaddress.IPv6Address("::1")
_IPV6_PREFIX = 64  # RFC 6177: what a site gets at least


def address_of(connection: HTTPConnection) -> str:
    """Return the address of who asks; of an IPv6 address its network of 64 bits.

    A forwarded address counts only where a proxy on loopback names it (uvicorn sees to that), and
    there the last one that the proxy itself added. ``unknown`` where it is no address.
    """
    network = network_of(connection.client.host if connection.client else "")
    if network is None:
        return UNKNOWN
    return "::1" if _LOOPBACK in network else str(network.network_address)


def network_of(address: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Return what one customer of a provider has around ``address``; None where it is none.

    One IPv4 address, also where it is written as IPv6, or the /64 of an IPv6 address.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return ipaddress.IPv6Network((found, _IPV6_PREFIX), strict=False)
        found = found.ipv4_mapped
    return ipaddress.IPv4Network(found)


def is_https(connection: HTTPConnection) -> bool:
    """Return whether the browser speaks https, also where a proxy in between does not.

    Any header is believed: who lies makes only their own cookies stricter.
    """
    headers = connection.headers
    named = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
    forwarded = headers.get("forwarded", "").lower().replace('"', "")
    return (
        connection.url.scheme == "https"
        or named == "https"
        or "proto=https" in forwarded
        or urlsplit(headers.get("origin", "")).scheme == "https"
    )


def secure_cookies(headers: MutableHeaders) -> None:
    """Add ``Secure`` to every cookie of an answer that goes over https."""
    cookies = headers.getlist("set-cookie")
    del headers["set-cookie"]
    for cookie in cookies:
        names = {part.strip().lower() for part in cookie.split(";")[1:]}
        headers.append("set-cookie", cookie if "secure" in names else f"{cookie}; Secure")
