"""Which network a guest asks from, as a name that says nothing about the address.

A network is one IPv4 address, which is what a household or a phone has, and the /64 of an IPv6
address, which is the smallest part that providers give to one customer: anything wider would make
neighbours pay for each other, anything narrower lets one machine have as many as it likes.
"""

from functools import cached_property
from ipaddress import ip_address

from starlette.requests import HTTPConnection

from core.settings import Settings
from webui.auth.client_address import UNKNOWN, network_of
from webui.auth.session_cookie import SessionSigner


class Networks:
    """Names networks by a keyed hash; the key is the installation's own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._on_space = settings.on_space

    @cached_property
    def _signer(self) -> SessionSigner:
        return SessionSigner.of(self._settings)

    def of(self, connection: HTTPConnection) -> str:
        """Name the network that ``connection`` comes from."""
        return self._signer.digest("network", str(network_of(self._address(connection)) or UNKNOWN))

    def _address(self, connection: HTTPConnection) -> str:
        """Return the address of who asks; the server has replaced that of a trusted proxy.

        A Space is reached through the platform's proxies only. They append, so the last address
        that is not of their own network is the visitor's.
        """
        peer = connection.client.host if connection.client else ""
        if not self._on_space:
            return peer
        hops = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
        return next((hop.strip() for hop in reversed(hops) if _is_public(hop.strip())), peer)


def _is_public(address: str) -> bool:
    try:
        return ip_address(address).is_global
    except ValueError:
        return False
