"""What can go wrong at the gate for rented machines."""

from core.errors import InvalidInput, Refused, SetupProblem


class GateNodeUnknown(InvalidInput):
    """No machine of this name may come through the gate, or the name is none."""

    name: str


class GateUnreachable(Refused):
    """The gate does not answer, or not as one does; ``detail`` is for the log."""

    detail: str = ""


class GateTokenRefused(SetupProblem):
    """The gate does not know the token of this machine, or it was revoked."""


class GateVersion(SetupProblem):
    """The gate speaks another version than this machine."""
