"""A bucket that this node has no key of: others sign each request for it, see :mod:`.links`.

A worker reads inputs of jobs and brings clips of its own attempts; it lists and deletes nothing.
"""

import asyncio
import hashlib
import random
from base64 import b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import structlog

from core.artefacts.cache import NodeCache
from core.artefacts.keyless import KeylessArtefacts
from core.artefacts.links import BucketPlace, Links, LinkWish
from core.artefacts.names import require_name
from core.artefacts.presign import Signature
from core.errors.artefacts import (
    ArtefactDamaged,
    ArtefactGone,
    ArtefactsUnavailable,
    BucketFailing,
    BucketUnknown,
    BucketUnreachable,
    CacheFull,
)
from core.runtime.file_pieces import pieces_of
from core.runtime.full_disk import NO_ROOM

log = structlog.get_logger(__name__)

TRIES = 3  # of a transfer that breaks, each with a signature of its own
WAIT_S = 0.5  # before the second try, doubled before each further one, times 0.5 to 1.5
PIECE_BYTES = 1 << 20
CONNECT_S, QUIET_S = 5.0, 30.0
_ABSENT = 404
LINK_REFUSED = "link_refused"  # reason: the attempt lost its job meanwhile


class LinkedArtefacts(KeylessArtefacts):
    """Implements :class:`core.interfaces.artefacts.Artefacts` for a worker without a key."""

    def __init__(
        self, place: BucketPlace, cache: NodeCache, links: Links, wait_s: float = WAIT_S
    ) -> None:
        """Take where the bucket is, the files of this node, and who signs.

        ``wait_s`` is the pause before a second try.
        """
        super().__init__(cache)
        self._place = place
        self._links = links
        self._wait_s = wait_s

    async def put(self, name: str, path: Path) -> None:
        """Upload the clip or poster at ``path``, which an attempt of this node made.

        Raises:
            ArtefactsUnavailable: it cannot be kept there just now.
        """
        wish = await asyncio.to_thread(wish_to_put, require_name(name), path)
        await self._again(lambda: self._upload(wish, path))

    async def _fetch(self, name: str, place: Path, sha256: str) -> None:
        """Write an input to ``place``, with as many signatures as that takes.

        Raises:
            ArtefactGone: the bucket has none, or no job needs it.
            ArtefactsUnavailable: it cannot be fetched just now.
        """
        await self._again(lambda: self._download(name, place, sha256))

    async def _again(self, transfer: Callable[[], Awaitable[None]]) -> None:
        """Do ``transfer``, again where it broke on the way.

        Raises:
            ArtefactGone: there is none.
            ArtefactsUnavailable: the last try broke too.
            OSError: something else of this machine.
        """
        number = 1
        while True:
            try:
                return await transfer()
            except (httpx2.HTTPError, ArtefactDamaged, BucketFailing) as error:
                log.info("transfer_broke", number=number, kind=type(error).__name__)
                if number == TRIES:
                    raise self._named(error) from error
            except BucketUnknown as error:
                raise self._named(error) from error
            except OSError as error:
                if error.errno not in NO_ROOM:
                    raise
                cause = CacheFull(str(self._cache.data_dir))
                raise ArtefactsUnavailable(cause.code) from cause
            jitter = random.uniform(0.5, 1.5)  # noqa: S311  # spreads load, keeps no secret
            await asyncio.sleep(self._wait_s * 2 ** (number - 1) * jitter)
            number += 1

    def _named(self, error: Exception) -> ArtefactsUnavailable:
        """Return what people are told; the log has the cause."""
        cause = error
        if isinstance(error, httpx2.HTTPError):
            cause = BucketUnreachable(self._place.address, self._place.endpoint)
        code = getattr(cause, "code", "")
        log.error("artefacts_unavailable", code=code, address=self._place.address)
        return ArtefactsUnavailable(code)

    def _client(self) -> httpx2.AsyncClient:
        limits = httpx2.Timeout(QUIET_S, connect=CONNECT_S)
        return httpx2.AsyncClient(timeout=limits, follow_redirects=False, trust_env=False)

    async def _upload(self, wish: LinkWish, path: Path) -> None:
        signature = await self._signed(wish)
        asked = self._place.request(wish)
        size = (await asyncio.to_thread(path.stat)).st_size
        headers = {**asked.headers, "Content-Length": str(size)}
        async with self._client() as client:
            answer = await client.put(
                asked.address(signature), content=pieces_of(path, PIECE_BYTES), headers=headers
            )
        self._look_at(answer, wish.name)

    async def _download(self, name: str, place: Path, sha256: str) -> None:
        """Write an input to ``place``, whole and with its content, or not at all.

        Raises:
            ArtefactGone: there is none.
            ArtefactDamaged: it is another content.
        """
        wish = LinkWish(name)
        address = self._place.request(wish).address(await self._signed(wish))
        async with self._client() as client, client.stream("GET", address) as answer:
            if not answer.is_success:
                await answer.aread()
            self._look_at(answer, name)
            size = int(answer.headers.get("content-length", "0"))
            await self._receive(name, place, sha256, answer.aiter_bytes(PIECE_BYTES), size)

    async def _signed(self, wish: LinkWish) -> Signature:
        """Have ``wish`` signed.

        Raises:
            ArtefactGone: no job needs the input any more.
            ArtefactsUnavailable: the clip is of no attempt that runs.
        """
        signature = await self._links.sign(wish)
        if signature is not None:
            return signature
        if wish.sha256:
            raise ArtefactsUnavailable(LINK_REFUSED)
        raise ArtefactGone(wish.name)

    def _look_at(self, answer: httpx2.Response, name: str) -> None:
        """Do nothing where the bucket did as it was asked.

        Raises:
            ArtefactGone: there is no such object.
            BucketUnknown: there is no such bucket.
            BucketFailing: it answered otherwise.
        """
        if answer.is_success:
            return
        if answer.status_code == _ABSENT:
            if "NoSuchBucket" in answer.text:
                raise BucketUnknown(self._place.address)
            raise ArtefactGone(name)
        raise BucketFailing(self._place.address, str(answer.status_code))


def wish_to_put(name: str, path: Path) -> LinkWish:
    """Return the wish to put the file at ``path`` under ``name``."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            sha256.update(piece)
            md5.update(piece)
    return LinkWish(name, sha256.hexdigest(), b64encode(md5.digest()).decode())
