"""Where the rows are: the file of SQLite or the server of PostgreSQL that an address names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from core.errors.setup import BadConfiguration
from core.runtime.extras import install_extra
from core.runtime.terminal_text import unprintable

VARIABLE = "CLAPPER_DATABASE_URL"
_SHAPES = (
    "it is sqlite+aiosqlite:///<file>, with ? as %3F, # as %23 and % as %25 in the name,"
    " or postgresql://<user>:<password>@<host>:<port>/<database>"
)
_POSTGRES = frozenset({"postgresql", "postgresql+psycopg", "postgres"})
_PORT = 5432
# what may follow the question mark: none of these names another server than the one that is seen
_OPTIONS = frozenset(
    {"host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "channel_binding"}
)
_ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """A server and a database on it. Only ``server`` may be shown."""

    server: str  # host, port and database, without account and password
    url: URL = field(repr=False)


def is_postgres(url: str) -> bool:
    """Tell whether ``url`` names a server of PostgreSQL."""
    return url.partition(":")[0].lower() in _POSTGRES


def database_path(url: str) -> Path:
    """Find the file that ``url`` names.

    Raises:
        BadConfiguration: not an address of an SQLite file.
    """
    parsed = _parsed(url)
    known = parsed.drivername == "sqlite+aiosqlite" and "?" not in url
    named = parsed.database or ":memory:"
    if not known or parsed.host or parsed.username or named == ":memory:" or unprintable(named):
        raise BadConfiguration(VARIABLE, _SHAPES)
    return Path(named)


def database_file(url: str) -> Path | None:
    """Find the file that ``url`` names; None where it names a server.

    Raises:
        BadConfiguration: not an address of a database.
    """
    return None if is_postgres(url) else database_path(url)


def postgres_address(url: str, *, insecure: bool = False) -> PostgresAddress:
    """Find the server that ``url`` names.

    Args:
        url: ``postgresql://…``.
        insecure: prompts and passwords may cross a network that others can read.

    Raises:
        BadConfiguration: not such an address, it leaves encryption off towards another machine, or
            the driver is not installed.
    """
    parsed = _parsed(url)
    if parsed.drivername not in _POSTGRES or not parsed.database:
        raise BadConfiguration(VARIABLE, _SHAPES)
    query = {name: _text(value) for name, value in parsed.query.items()}
    if strange := sorted(set(query) - _OPTIONS):
        known = ", ".join(sorted(_OPTIONS))
        raise BadConfiguration(VARIABLE, f"of ?{strange[0]}= nothing is known; known: {known}")
    if not (find_spec("psycopg") and find_spec("procrastinate")):
        raise BadConfiguration(VARIABLE, f"PostgreSQL needs: {install_extra('cluster')}")
    if "@" in (parsed.host or ""):  # the rest of a password, which must not be shown as a host
        raise BadConfiguration(VARIABLE, "in a user or password @ is written %40")
    hosts = query.get("host") or parsed.host or ""
    if not insecure:
        query["sslmode"] = _encrypted(query, hosts)
    port = query.get("port") or str(parsed.port or _PORT)
    whole = parsed.set(drivername="postgresql+psycopg").set(query=query)
    return PostgresAddress(f"{hosts or 'localhost'}:{port}/{parsed.database}", whole)


def _encrypted(query: Mapping[str, str], hosts: str) -> str:
    """Return how the connection is to be encrypted.

    Raises:
        BadConfiguration: it leaves that to chance, and the server is another machine.
    """
    asked = query.get("sslmode")
    here = bool(hosts) and all(map(_is_here, hosts.split(",")))
    if asked is None:
        return "prefer" if here else "require"  # without a host others may name one: PGHOST
    if asked not in _ENCRYPTED and not here:
        reason = (
            f"sslmode={asked} lets others read prompts on the way to {hosts or 'the server'}:"
            " take sslmode=require, or set CLAPPER_DATABASE_INSECURE=true where nobody can listen"
        )
        raise BadConfiguration(VARIABLE, reason)
    return asked


def _is_here(host: str) -> bool:
    """Tell whether ``host`` is this machine: a socket, or an address that never leaves it."""
    if host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ",".join(value)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):  # the latter: a port that is no number
        raise BadConfiguration(VARIABLE, _SHAPES) from None
