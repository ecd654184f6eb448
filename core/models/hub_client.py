"""The hub over HTTP: what a file is, and its bytes, with resume.

Uses huggingface_hub for addresses, headers, metadata and its error codes. The bytes are streamed
here, because the library throws a partial file away when a download stops (2.4: a random name a
call, deleted on failure) and would only look at a cancel every 10 MiB.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import (
    HfFileMetadata,
    get_async_session,
    get_hf_file_metadata,  # pyright: ignore[reportUnknownVariableType]  # types user_agent as a bare dict
    hf_hub_url,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import (
    build_hf_headers,  # pyright: ignore[reportUnknownVariableType]  # types user_agent as a bare dict
    hf_raise_for_status,
    httpx,
)
from pydantic import SecretStr

from core.errors.setup import DownloadFailed
from core.models.catalog import ModelFile
from core.models.errors import (
    ChecksumWrong,
    DiskTooSmall,
    DownloadCut,
    HubBroken,
    HubFileMissing,
    HubGated,
    HubOffline,
    HubTokenRefused,
)
from core.models.partial_download import PartialDownload
from core.runtime.full_disk import NO_ROOM
from core.runtime.threads import finish_in_thread

HUB = "https://huggingface.co"
_BLOCK_BYTES = 1_048_576
_LONGEST_PAUSE_S = 10.0
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TRY_AGAIN = {408, 429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class HubAccess:
    """Where the hub is and how patient to be. Times are seconds."""

    endpoint: str = HUB
    token: SecretStr | None = None
    connect_s: float = 10.0
    read_s: float = 30.0
    tries: int = 5  # in a row without a new byte
    pause_s: float = 1.0  # before the second try; doubles with each


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """What the hub says of a file; ``etag`` names its blob in the cache."""

    file: ModelFile
    url: str
    commit: str
    etag: str
    size_bytes: int

    @property
    def sha256(self) -> str | None:
        """Return the hash to hold the bytes against: ours, else the hub's where it has one."""
        return self.file.sha256 or (self.etag if _SHA256.fullmatch(self.etag) else None)


class Hub:
    """Reads metadata and bytes; the only part of core that talks to the hub."""

    def __init__(self, access: HubAccess) -> None:
        self._access = access
        self._token = access.token.get_secret_value() if access.token else False

    def page(self, file: ModelFile) -> str:
        """Return the address of the repository's page."""
        return f"{self._access.endpoint}/{file.repo}"

    async def describe(self, file: ModelFile) -> RemoteFile:
        """Ask the hub what it has of ``file``.

        Raises:
            DownloadFailed: with the reason, after the configured tries where trying again helps;
                ``ChecksumWrong`` where the hub announces another file than the one that we know.
        """
        url = hf_hub_url(
            file.repo, file.path, revision=file.revision, endpoint=self._access.endpoint
        )
        failures = 0
        while True:
            try:
                return _announced(file, url, await asyncio.to_thread(self._metadata, url))
            except (httpx.HTTPError, OfflineModeIsEnabled) as error:
                failures += 1
                if failures >= self._access.tries or not _worth_another_try(error):
                    raise self._explain(file, error) from None
            await asyncio.sleep(self._pause(failures))

    def _metadata(self, url: str) -> HfFileMetadata:
        return get_hf_file_metadata(
            url,
            token=self._token,
            timeout=self._access.connect_s,
            endpoint=self._access.endpoint,
        )

    def _pause(self, failures: int) -> float:
        return min(self._access.pause_s * 2 ** (failures - 1), _LONGEST_PAUSE_S)

    async def fetch(self, remote: RemoteFile, path: Path, on_bytes: Callable[[int], None]) -> None:
        """Bring the bytes of ``remote`` to ``path``, going on from what is already there.

        Args:
            remote: from :meth:`describe`.
            path: a partial file of the same blob, or nothing yet. Kept when this stops early.
            on_bytes: called with the bytes so far, on the event loop.

        Raises:
            DownloadFailed: with the reason.
            ChecksumWrong: the bytes are not those announced; they were removed.
            DiskTooSmall: no room for the rest.
            OSError: the cache cannot be written.
        """
        partial = await finish_in_thread(PartialDownload, path)
        try:
            while await finish_in_thread(partial.hash_next_block):
                pass
            await self._stream_until_whole(remote, partial, on_bytes)
            await finish_in_thread(partial.sync)
            _check_sum(remote, partial)
        except ChecksumWrong:
            await finish_in_thread(path.unlink)
            raise
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            missing = remote.size_bytes - partial.size
            raise DiskTooSmall(remote.file.name, need_bytes=missing) from None
        finally:
            await finish_in_thread(_close, partial)

    async def _stream_until_whole(
        self, remote: RemoteFile, partial: PartialDownload, on_bytes: Callable[[int], None]
    ) -> None:
        failures = 0
        while partial.size != remote.size_bytes:
            before = partial.size
            try:
                await self._stream(remote, partial, on_bytes)
                if partial.size == remote.size_bytes:
                    return
                error: Exception | None = None
            except (httpx.HTTPError, OfflineModeIsEnabled) as caught:
                if not _worth_another_try(caught):
                    raise self._explain(remote.file, caught) from None
                error = caught
            failures = 1 if partial.size > before else failures + 1
            if failures >= self._access.tries:
                raise self._give_up(remote, partial, error)
            await asyncio.sleep(self._pause(failures))

    async def _stream(
        self, remote: RemoteFile, partial: PartialDownload, on_bytes: Callable[[int], None]
    ) -> None:
        headers = build_hf_headers(token=self._token) | {"Accept-Encoding": "identity"}
        if partial.size > remote.size_bytes:
            await finish_in_thread(partial.restart)
        if partial.size:
            headers["Range"] = f"bytes={partial.size}-"
        patience = httpx.Timeout(self._access.read_s, connect=self._access.connect_s)
        async with (
            get_async_session() as client,
            client.stream("GET", remote.url, headers=headers, timeout=patience) as answer,
        ):
            hf_raise_for_status(answer)
            if partial.size and not _goes_on_at(answer, partial.size):
                await finish_in_thread(partial.restart)
            await _write_body(answer, remote, partial, on_bytes)

    def _give_up(
        self, remote: RemoteFile, partial: PartialDownload, error: Exception | None
    ) -> DownloadFailed:
        failure = self._explain(remote.file, error) if error else None
        if isinstance(failure, HubBroken):
            return failure
        if partial.size == 0 and failure is not None:
            return failure
        return DownloadCut(remote.file.name, done_bytes=partial.size, total_bytes=remote.size_bytes)

    def _explain(self, file: ModelFile, error: Exception) -> DownloadFailed:
        """Return what ``error`` means; never with its text, which holds signed addresses."""
        page = self.page(file)
        match error:
            case GatedRepoError():
                return HubGated(file.name, page=page)
            case HfHubHTTPError() if _status(error) in {401, 403}:
                unknown = _status(error) == 401 and not self._token  # also what is not there at all
                kind = HubFileMissing if unknown else HubTokenRefused
                return kind(file.name, page=page)
            case RepositoryNotFoundError() | RevisionNotFoundError() | EntryNotFoundError():
                return HubFileMissing(file.name, page=page)
            case HfHubHTTPError():
                return HubBroken(file.name, status=_status(error))
            case OfflineModeIsEnabled():
                return HubOffline(file.name, detail="HF_HUB_OFFLINE")
            case _:
                return HubOffline(file.name, detail=type(error).__name__)


def _status(error: HfHubHTTPError) -> int:
    return error.response.status_code


def _worth_another_try(error: Exception) -> bool:
    if isinstance(error, HfHubHTTPError):
        return _status(error) in _TRY_AGAIN
    return isinstance(error, httpx.TransportError)


def _goes_on_at(answer: httpx.Response, offset: int) -> bool:
    """Tell whether the body continues our bytes; 200, or another offset, starts over."""
    begins = answer.headers.get("Content-Range", "").startswith(f"bytes {offset}-")
    return answer.status_code == 206 and begins


def _announced(file: ModelFile, url: str, found: HfFileMetadata) -> RemoteFile:
    if found.commit_hash is None or found.etag is None or found.size is None:
        raise HubBroken(file.name)
    announced = found.etag if _SHA256.fullmatch(found.etag) else file.sha256
    if file.sha256 not in {None, announced} or not file.may_be(found.size):
        raise ChecksumWrong(file.name, detail="announced")
    return RemoteFile(file, url, found.commit_hash, found.etag, found.size)


async def _write_body(
    answer: httpx.Response,
    remote: RemoteFile,
    partial: PartialDownload,
    on_bytes: Callable[[int], None],
) -> None:
    """Write the body to the disk in large blocks; the last one also when the line breaks."""
    held = bytearray()
    on_bytes(partial.size)
    try:
        async for block in answer.aiter_bytes():
            held += block
            if len(held) >= _BLOCK_BYTES:
                await _write(remote, partial, held)
            on_bytes(partial.size + len(held))
    finally:
        await _write(remote, partial, held)


async def _write(remote: RemoteFile, partial: PartialDownload, held: bytearray) -> None:
    if partial.size + len(held) > remote.size_bytes:
        raise ChecksumWrong(remote.file.name)
    block = bytes(held)
    held.clear()  # first: a cancel during the write must not write the block again
    await finish_in_thread(partial.write, block)


def _check_sum(remote: RemoteFile, partial: PartialDownload) -> None:
    if remote.sha256 not in {None, partial.sha256}:
        raise ChecksumWrong(remote.file.name)


def _close(partial: PartialDownload) -> None:
    try:
        partial.close()
    except OSError as error:
        if error.errno not in NO_ROOM:  # its buffer has no room either
            raise
