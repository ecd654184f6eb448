"""How a worker connects to the gate: whose certificate it trusts, and what went wrong."""

import ssl
from pathlib import Path

import httpx2

from core.errors import ClapperError
from core.errors.gate import GateTokenRefused, GateUnreachable, GateVersion
from core.errors.setup import BadConfiguration

UNTRUSTED = "certificate"  # nobody that is trusted signed the gate's certificate
_REFUSALS: dict[int, type[ClapperError]] = {401: GateTokenRefused, 426: GateVersion}


def trust(authority: Path | None) -> ssl.SSLContext | bool:
    """Return whose certificates are trusted: this authority's alone, or those of the system.

    Raises:
        BadConfiguration: the file cannot be used.
    """
    if authority is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(authority))
    except OSError as error:  # ssl.SSLError is one
        reason = str(error.strerror or error)
        raise BadConfiguration("CLAPPER_GATE_AUTHORITY", reason) from None


def why(error: BaseException) -> str:
    """Return what the log says of an error of the connection."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return UNTRUSTED
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def require_taken(answer: httpx2.Response) -> None:
    """Do nothing where the gate did what was asked.

    Raises:
        GateTokenRefused, GateVersion: it does not know this machine, or its version.
        GateUnreachable: it did not.
    """
    if answer.status_code in _REFUSALS:
        raise _REFUSALS[answer.status_code]()
    if not answer.is_success:
        raise GateUnreachable(str(answer.status_code))
