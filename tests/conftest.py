"""What every test may use: clean settings, an opened core, and switches for what needs hardware."""

import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import hypothesis
import pytest
import typer.main

from core.runtime.paths import address_of
from core.settings import DATABASE_NAME, Settings, load_settings
from core.storage import postgres_engine
from core.testing.doubles import QuickExecutor, RecordingDelivery
from tests.dialects import always, on_both
from tests.slow import ROOT, has_slice, is_slow, is_table
from tests.support import postgres, s3_server
from tests.support.databases import place_database, place_database_of
from tests.support.settings import changed

if TYPE_CHECKING:
    from core.app.core import Core

# the same tree of all commands for each command under test: building it takes a third of one
typer.main.get_command = cache(typer.main.get_command)

# how long an example takes says only how busy the machine is
hypothesis.settings.register_profile(
    "clapper", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("clapper")

SWITCHES = {
    "comfy_real": ("--comfy-real", "needs a ComfyUI checkout: make test-comfy"),
    "gpu": ("--gpu", "needs a CUDA device: make test-gpu"),
    "torture": ("--torture", "takes many minutes: make torture"),
    "newcomer": ("--newcomer", "installs everything anew: make newcomer"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--comfy-real", action="store_true", help="run a real ComfyUI, tiny models")
    parser.addoption("--comfy-vram", default="auto", help="how it places models: CLAPPER_VRAM")
    parser.addoption("--gpu", action="store_true", help="run on the CUDA device")
    parser.addoption("--torture", action="store_true", help="all points of tests/torture")
    parser.addoption(
        "--newcomer", nargs="?", const="python3", metavar="PYTHON", help="walk what README says"
    )
    parser.addoption("--whole", action="store_true", help="of that walk all tests, not some")
    parser.addoption("--day", action="store_true", help="20 000 jobs in one process")


def pytest_configure() -> None:
    """Let programs that tests start end by signals that a background job or nohup ignores for all.

    They speak English, whatever the developer's terminal does.
    """
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"):
        os.environ.pop(name, None)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        # what is caught here, and does nothing, is the default again in a program that is started
        signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave modules and tests, a million objects that stay, to no search for garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what opens a database on both dialects, where its folder says so."""
    if "dialect" in metafunc.fixturenames and on_both(metafunc.definition.path):
        dialects = ["sqlite"]
        if not metafunc.definition.get_closest_marker("sqlite"):
            dialects.append(pytest.param("postgres", marks=pytest.mark.postgres))
        metafunc.parametrize("dialect", dialects, indirect=True)


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in the same hook
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    begun: set[tuple[Path, bool]] = set()
    rows: set[tuple[Path, str]] = set()  # of tables: tests of which there was one
    for item in items:
        other = item.get_closest_marker("postgres") is not None
        first = (item.path, other) not in begun
        slice_ = first and has_slice(item.path) and (not other or always(item.path))
        slow = is_slow(item.path) and not slice_
        slow |= other and not (first or always(item.path))
        if is_table(item.path):
            test = (item.path, getattr(item, "originalname", item.name))
            slow |= test in rows
            rows.add(test)
        if slow or item.get_closest_marker("load"):
            item.add_marker(pytest.mark.slow)
        begun.add((item.path, other))
    _keep_together(items)
    for marker, (option, reason) in SWITCHES.items():
        if not config.getoption(option):
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=reason))


def _keep_together(items: list[pytest.Item]) -> None:
    """Let one process run all that uses what a module makes once: no second one makes it again."""
    for item in items:
        used: dict[str, Sequence[pytest.FixtureDef[object]]] = item._fixtureinfo.name2fixturedefs
        shares = any(made.scope == "module" for one in used.values() for made in one[-1:])
        if shares and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(ROOT).as_posix()))


def forget_environment(patch: pytest.MonkeyPatch) -> None:
    """Take the developer's variables and .env file away."""
    for name in list(os.environ):
        if name.startswith("CLAPPER_"):
            patch.delenv(name)
    patch.setitem(Settings.model_config, "env_file", None)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """No variable and no .env file of the developer or of another test reaches a test."""
    forget_environment(monkeypatch)
    yield
    for name in list(os.environ):
        if name.startswith("CLAPPER_"):  # an option of a command may be one too
            del os.environ[name]


@pytest.fixture
def no_authorities(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No client under test reads those of the system, 20 ms each: its servers speak plain HTTP."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))


@pytest.fixture(autouse=True)
def clean_logging() -> Generator[None]:
    """A command under test sets up logging to its own streams, which are closed with it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    yield
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    if root.level != level:  # each time it is set, all loggers forget what they know
        root.setLevel(level)


@pytest.fixture(scope="session")
def postgres_server() -> Generator[postgres.PostgresServer]:
    """A server with our tables, of this test process."""
    if postgres.binaries() is None:
        pytest.skip(postgres.ABSENT)
    with postgres.serve() as server:
        server.make_tables()
        yield server


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Generator[s3_server.S3Server]:
    """A server with an empty bucket, of a module."""
    program = s3_server.rclone()
    if program is None:
        pytest.skip(f"needs rclone: {s3_server.INSTALL}")
    with s3_server.serving(program, tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> str:
    """Which database the test opens; both where tests/dialects.py says so."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def new_database(
    dialect: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Path], str]:
    """Return the address of an empty database: the file in a folder, or all of the server."""
    if dialect == "sqlite":

        def placed(folder: Path) -> str:
            place_database(folder / DATABASE_NAME)
            return address_of(folder / DATABASE_NAME)

        return placed
    # a machine that runs tests may be too busy for limits of seconds
    monkeypatch.setitem(postgres_engine.SESSION, "options", "")
    server: postgres.PostgresServer = request.getfixturevalue("postgres_server")

    def emptied(_: Path) -> str:
        server.empty()
        return server.url()

    return emptied


@pytest.fixture
def settings(
    tmp_path: Path, clean_environment: None, dialect: str, new_database: Callable[[Path], str]
) -> Settings:
    if dialect == "sqlite":  # the file goes with the data directory, wherever a test puts that
        return settings_in(tmp_path)
    return settings_in(tmp_path, database_url=new_database(tmp_path / "data"))


def settings_in(folder: Path, **more: object) -> Settings:
    """Return the settings of tests, with their data directory in ``folder``."""
    return load_settings(
        allowed="everyone",  # who may use the bots is tried by tests of its own
        data_dir=folder / "data",
        executor="draft",
        quota_minutes=1000,
        heartbeat_s=0.2,
        min_free_megabytes=0,
        shutdown_grace_s=5,
        progress_every_s=0.05,
        **more,
    )


@pytest.fixture
def settings_with(settings: Settings) -> Callable[..., Settings]:
    """The settings of the test with some values changed."""
    return partial(changed, settings)


@pytest.fixture
def empty_postgres(postgres_server: postgres.PostgresServer) -> Generator[str]:
    """The address of a database without tables, which is gone after the test."""
    name = f"empty_{uuid4().hex[:12]}"
    with postgres_server.connect("postgres") as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield postgres_server.url(name)
    with postgres_server.connect("postgres") as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def executor() -> QuickExecutor:
    return QuickExecutor()


@pytest.fixture
def delivery() -> RecordingDelivery:
    return RecordingDelivery()


@pytest.fixture
async def core(settings: Settings, dialect: str, executor: QuickExecutor) -> AsyncGenerator["Core"]:
    """The core as production opens it, with an executor that does as it is told. Not running."""
    from core.app.bootstrap import open_core

    place_database_of(settings)
    async with open_core(settings, executor) as opened:
        yield opened
