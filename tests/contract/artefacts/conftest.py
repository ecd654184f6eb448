"""Both forms of artefacts, the bucket on a real server."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from core.artefacts.opening import open_artefacts
from core.interfaces.artefacts import Artefacts
from core.settings import Settings, load_settings
from tests.support.s3_server import S3Server

OWNER = "a" * 32


@dataclass(frozen=True, slots=True)
class Node:
    """One node: its artefacts and its data directory."""

    artefacts: Artefacts
    data_dir: Path
    prefix: str


MakeNode = Callable[..., Awaitable[Node]]


@pytest.fixture
def node_of(tmp_path: Path, s3: S3Server) -> MakeNode:
    """Make nodes of one bucket, each with a data directory of its own."""
    own_prefix = f"test-{uuid4().hex[:8]}"

    async def make(
        server: S3Server = s3, owner: str = OWNER, prefix: str = own_prefix, **more: object
    ) -> Node:
        data_dir = tmp_path / uuid4().hex[:8]
        settings = settings_for(server, data_dir, prefix, **more)
        return Node(await open_artefacts(settings, lambda: named(owner)), data_dir, prefix)

    return make


async def named(owner: str) -> str:
    return owner


def settings_for(server: S3Server, data_dir: Path, prefix: str, **more: object) -> Settings:
    return load_settings(data_dir=data_dir, **server.settings(prefix, **more))


@pytest.fixture(params=["folder", "bucket"])
async def node(request: pytest.FixtureRequest, tmp_path: Path) -> Node:
    """Either form."""
    if request.param == "bucket":
        make: MakeNode = request.getfixturevalue("node_of")
        return await make()
    settings = load_settings(data_dir=tmp_path / "data")
    return Node(await open_artefacts(settings, lambda: named(OWNER)), settings.data_dir, "")
