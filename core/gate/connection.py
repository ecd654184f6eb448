"""How a worker connects to the gate: whose certificate it trusts, and why there is no answer."""

import ssl
from pathlib import Path

from core.errors.setup import BadConfiguration

UNTRUSTED = "certificate"  # nobody that is trusted signed the gate's certificate


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
