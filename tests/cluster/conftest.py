"""A cluster whose server, bucket and nodes are started by the test."""

import os
from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.cluster.machines import Cluster, cluster
from tests.support import postgres
from tests.support.s3_server import S3Server

NodesAtWork: TypeAlias = Callable[..., AbstractAsyncContextManager[Cluster]]
FOUND = pytest.StashKey[list[str]]()


@pytest.fixture
def own_server() -> Generator[postgres.PostgresServer]:
    """A server with our tables that the test may kill."""
    if postgres.binaries() is None:
        pytest.skip(postgres.ABSENT)
    with postgres.serve(max_connections="200") as server:
        server.make_tables()
        yield server


@pytest.fixture
def nodes_at_work(own_server: postgres.PostgresServer, s3: S3Server, tmp_path: Path) -> NodesAtWork:
    """Start a front and workers: ``async with nodes_at_work(workers=2, jobs=20) as cluster``."""

    def start(**how: float) -> AbstractAsyncContextManager[Cluster]:
        return cluster(tmp_path, own_server, s3, **how)

    return start


@pytest.fixture
def note(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Print a line after all tests."""
    return pytestconfig.stash[FOUND].append


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FOUND] = []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if lines := config.stash[FOUND]:
        load = " ".join(f"{one:.1f}" for one in os.getloadavg())
        terminalreporter.write_line(f"cluster: {os.cpu_count()} cores, load {load}")
        for line in lines:
            terminalreporter.write_line(line)
