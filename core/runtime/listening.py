"""Addresses of this machine that servers listen at: which there are, and whether a port is free."""

import socket

NO_SUCH_HOST = -1  # instead of an error number


def refusal_at(host: str, port: int) -> int | None:
    """Say why nothing can listen at ``host`` and ``port``; a name stands for all its addresses.

    Args:
        host: an address, or a name of this machine.
        port: 0 asks about ``host`` alone.

    Returns:
        The system's error number, :data:`NO_SUCH_HOST`, or None where it works.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):  # a name that nobody knows, or none at all
        return NO_SUCH_HOST
    for family, _, _, _, address in found:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
                probe.listen(1)  # on Linux a port that another address has says so only here
            except OSError as error:
                return error.errno or NO_SUCH_HOST
    return None


def host_in_address(host: str) -> str:
    """Write ``host`` as it stands in a web address: one of IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host
