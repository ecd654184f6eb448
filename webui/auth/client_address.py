"""Where a request comes from, as far as it can be believed."""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection

UNKNOWN = "unknown"


def address_of(connection: HTTPConnection) -> str:
    """Return the address of who asks; of an IPv6 address its network of 64 bits.

    A forwarded address counts only where a proxy on loopback names it (uvicorn sees to that), and
    there the last one that the proxy itself added. ``unknown`` where it is no address.
    """
    host = connection.client.host if connection.client else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        if not address.is_loopback:
            return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)


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
