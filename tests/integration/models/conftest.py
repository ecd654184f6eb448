"""A hub on 127.0.0.1 with the real routes and headers, and knobs for what goes wrong."""

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr
from safetensors.numpy import save

from core.models.catalog import LTX_2_3, ModelFamily, Profile, ProfileSpec
from core.models.hub_client import Hub, HubAccess
from core.models.licences import Acceptance
from core.models.model_file import LTX2_LICENCE, ModelFile
from core.models.store import ModelStore, StoreFolders

COMMIT = "c0ffee" * 6 + "0000"
GOOD_TOKEN = "hf_good"
_ROUTE = re.compile(r"/([\w.-]+/[\w.-]+)/resolve/([\w.-]+)/(.+)")


@dataclass
class FakeHub:
    """Files by (repository, path) and the faults to show; counters for the tests."""

    endpoint: str = ""
    cdn: str = ""
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)  # 401 without the good token
    gated: set[str] = field(default_factory=set)  # 403 GatedRepo for everybody
    forbidden: set[str] = field(default_factory=set)  # 403 without a code
    moved_repos: dict[str, str] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)  # path: what to announce instead
    head_faults: list[int] = field(default_factory=list)  # a status each, then all is well
    body_faults: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)  # bytes of a body before the line breaks
    deliver: dict[str, bytes] = field(default_factory=dict)  # other bytes than announced
    ignore_ranges: bool = False
    hold_after: int | None = None  # stop in the body until ``go`` is set
    go: threading.Event = field(default_factory=threading.Event)
    held: threading.Event = field(default_factory=threading.Event)
    let_go: bool = False  # it held, and does no longer
    heads: int = 0
    bodies: list[str | None] = field(default_factory=list)  # Range header of each body
    cdn_saw_token: bool = False

    def add(self, file: ModelFile, content: bytes) -> None:
        self.files[file.repo, file.path] = content


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def log_message(self, format: str, *args: object) -> None:
        pass

    def finish_empty(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()


class _Resolver(_Handler):
    def do_HEAD(self) -> None:
        self.hub.heads += 1
        self.resolve(self.hub.head_faults)

    def do_GET(self) -> None:
        self.resolve(self.hub.body_faults)

    def resolve(self, faults: list[int]) -> None:
        hub = self.hub
        found = _ROUTE.fullmatch(self.path)
        assert found, self.path
        repo, revision, path = found.groups()
        if faults:
            return self.finish_empty(faults.pop(0))
        if repo in hub.moved_repos:
            place = self.path.replace(repo, hub.moved_repos[repo])
            return self.finish_empty(307, Location=place)
        refusal = self.refuse(repo) or self.find(repo, revision, path)
        if refusal:
            status, code = refusal
            return self.finish_empty(status, X_Error_Code=code)
        content = hub.files[repo, path]
        etag = hub.etags.get(path, hashlib.sha256(content).hexdigest())
        return self.finish_empty(
            302,
            Location=f"{hub.cdn}/{repo}/{path}?Signature=secret",
            X_Repo_Commit=COMMIT,
            X_Linked_Etag=f'"{etag}"',
            X_Linked_Size=str(len(content)),
            ETag='"small"',
        )

    def refuse(self, repo: str) -> tuple[int, str] | None:
        if repo in self.hub.gated:
            return 403, "GatedRepo"
        if repo in self.hub.forbidden:
            return 403, ""
        known = self.headers["Authorization"] == f"Bearer {GOOD_TOKEN}"
        return None if known or repo not in self.hub.private else (401, "")

    def find(self, repo: str, revision: str, path: str) -> tuple[int, str] | None:
        if repo not in {name for name, _ in self.hub.files}:
            return 404, "RepoNotFound"
        if revision not in {"main", COMMIT}:
            return 404, "RevisionNotFound"
        return None if (repo, path) in self.hub.files else (404, "EntryNotFound")


class _Cdn(_Handler):
    def do_GET(self) -> None:
        hub = self.hub
        hub.cdn_saw_token |= "Authorization" in self.headers
        org, name, path = self.path.partition("?")[0].lstrip("/").split("/", 2)
        asked = self.headers["Range"]
        hub.bodies.append(asked)
        content = hub.deliver.get(path, hub.files[f"{org}/{name}", path])
        start = 0 if asked is None or hub.ignore_ranges else int(asked[6:].rstrip("-"))
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.send_body(content[start:])

    def send_body(self, body: bytes) -> None:
        hub = self.hub
        if hub.cuts:
            self.wfile.write(body[: hub.cuts.pop(0)])
            self.close_connection = True
        elif hub.hold_after is not None:
            self.wfile.write(body[: hub.hold_after])
            hub.held.set()
            hub.go.wait(20)
            hub.let_go = True
            self.close_connection = True
        else:
            self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # the client hung up, as some tests make it do


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    fake = FakeHub()
    servers = [
        _Server(("127.0.0.1", 0), type("Bound", (kind,), {"hub": fake}))
        for kind in (_Resolver, _Cdn)
    ]
    fake.endpoint, fake.cdn = (f"http://127.0.0.1:{item.server_port}" for item in servers)
    for item in servers:
        threading.Thread(target=item.serve_forever, args=(0.02,), daemon=True).start()
    yield fake
    fake.go.set()
    for item in servers:
        item.shutdown()
        item.server_close()


@pytest.fixture(scope="session")
def weights() -> Callable[..., bytes]:
    """Make the bytes of a real safetensors file of about ``kilobytes``."""

    def make(kilobytes: int = 300, seed: int = 0) -> bytes:
        values = np.random.default_rng(seed).random((kilobytes, 128)).astype(np.float64)
        return save({"a": values.astype(np.float32), "b": values[:, :64].astype(np.float64)})

    return make


def describe(content: bytes, **changes: object) -> ModelFile:
    file = ModelFile(
        repo="Lightricks/LTX-2.3",
        revision=COMMIT,
        path="ltx-2.3-spatial-upscaler-x2-1.1.safetensors",
        folder="latent_upscale_models",
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        licence=LTX2_LICENCE,
    )
    return replace(file, **changes)


@pytest.fixture
def offer(hub: FakeHub) -> Callable[..., ModelFile]:
    """Put ``content`` on the hub and return its record, changed as asked."""

    def put(content: bytes, **changes: object) -> ModelFile:
        file = describe(content, **changes)
        hub.add(file, content)
        return file

    return put


@pytest.fixture
def small_family(offer: Callable[..., ModelFile], weights: Callable[..., bytes]) -> ModelFamily:
    """LTX-2.3 with its real names and folders, and a few kilobytes a file."""
    small = {
        file: offer(
            weights(20 + index, seed=index), repo=file.repo, path=file.path, folder=file.folder,
            licence=file.licence,
        )
        for index, file in enumerate(LTX_2_3.all_files())
    }  # fmt: skip
    profiles: dict[Profile, ProfileSpec] = {
        profile: replace(spec, files={slot: small[file] for slot, file in spec.files.items()})
        for profile, spec in LTX_2_3.profiles.items()
    }
    return replace(LTX_2_3, profiles=profiles)


@pytest.fixture
def places(tmp_path: Path) -> StoreFolders:
    return StoreFolders(models=tmp_path / "models", cache=tmp_path / "cache")


@pytest.fixture
def open_store(hub: FakeHub, places: StoreFolders, tmp_path: Path) -> Callable[..., ModelStore]:
    """Open a store on the fake hub; accepts the licences unless told otherwise."""

    def make(token: str | None = None, *, granted: bool = True, **changes: object) -> ModelStore:
        access = HubAccess(
            endpoint=hub.endpoint,
            token=SecretStr(token) if token else None,
            connect_s=5,
            read_s=5,
            tries=3,
            pause_s=0.01,
        )
        acceptance = Acceptance(tmp_path / "licences.json", lambda: 1, granted=granted)
        return ModelStore(
            changes.pop("places", places),
            Hub(access),
            acceptance,
            **changes,  # pyright: ignore[reportArgumentType]  # tests change what they need
        )

    return make


@pytest.fixture
def store(open_store: Callable[..., ModelStore]) -> ModelStore:
    return open_store()
