"""Name the cause of what PostgreSQL reports: one mapping from its states to our errors.

States are listed in appendix A of PostgreSQL's manual; the first two characters are their class.
"""

from collections.abc import Callable

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import ClapperError
from core.errors.setup import DatabaseDamaged
from core.errors.storage import (
    ServerBusy,
    ServerFaulty,
    ServerFull,
    ServerOverloaded,
    ServerReadOnly,
    ServerRefuses,
    ServerUnreachable,
)

_Make = Callable[[str, str], ClapperError]  # from the server's name and what it said
_ABSENT = object()

_STATES: dict[str, _Make] = {
    "25006": lambda server, _: ServerReadOnly(server),  # a replica, or set so by an operator
    "25P03": lambda server, _: ServerBusy(server),  # we stood still inside a transaction
    "40001": lambda server, _: ServerBusy(server),  # serialization failure
    "40P01": lambda server, _: ServerBusy(server),  # deadlock
    "42501": ServerRefuses,  # rights are missing
    "3D000": ServerRefuses,  # no such database
    "53100": lambda server, _: ServerFull(server),
    "55P03": lambda server, _: ServerBusy(server),  # lock_timeout
    "57014": lambda server, _: ServerBusy(server),  # statement_timeout
    "57P01": ServerUnreachable,  # shut down by an operator
    "57P02": ServerUnreachable,  # crashed
    "57P03": ServerUnreachable,  # starts, or stops
    "57P05": ServerUnreachable,  # idle for too long
    "XX001": lambda _, detail: DatabaseDamaged(detail),
    "XX002": lambda _, detail: DatabaseDamaged(detail),
}
_CLASSES: dict[str, _Make] = {
    "08": ServerUnreachable,
    "28": ServerRefuses,  # account or password
    "53": ServerOverloaded,  # connections, memory
    "58": ServerFaulty,  # what the system tells the server, e.g. I/O errors
}


def postgres_problem(error: BaseException, server: str = "") -> ClapperError | None:
    """Return our error for what ``error`` means, or None where it is no trouble of the storage.

    Args:
        error: of SQLAlchemy or psycopg.
        server: its name for the operator, without account and password.
    """
    if isinstance(error, PoolTimeout):
        return ServerBusy(server)
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    origin = error.orig if isinstance(error, DBAPIError) else error
    state: object = getattr(origin, "sqlstate", _ABSENT)  # every error of psycopg has one
    if origin is None or state is _ABSENT:
        return None
    detail = first_line(origin)
    if isinstance(state, str):
        make = _STATES.get(state) or _CLASSES.get(state[:2])
        return make(server, detail) if make else None
    if lost or type(origin).__name__ in {"OperationalError", "ConnectionTimeout"}:
        return ServerUnreachable(server, detail)  # never came to the server: refused, cut, no name
    return None


def first_line(error: BaseException) -> str:
    """Return what happened, without the lines below it, which quote values of rows."""
    return (str(error).splitlines() or [type(error).__name__])[0]
