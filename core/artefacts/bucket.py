"""A bucket that all nodes share, through obstore, with the files of this node before it.

obstore tries again by itself, with growing and jittered waits; what it does not is a transfer that
breaks in the middle, or that brings other bytes than were stored.
"""

import asyncio
import hashlib
import random
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
import structlog
from obstore.exceptions import BaseError, PermissionDeniedError

from core.artefacts.cache import NodeCache
from core.artefacts.mark import Mark
from core.artefacts.names import ORIGINAL, content_type, digest_in, require_name
from core.artefacts.presign import UrlSigner
from core.artefacts.trouble import is_bucket_absent, named_bucket_troubles
from core.errors import SetupProblem
from core.errors.artefacts import ArtefactDamaged, ArtefactGone, ArtefactsUnavailable
from core.runtime.atomic_files import sha256_of, whole_file
from core.runtime.clock import now_ms
from core.runtime.full_disk import NO_ROOM
from core.runtime.permissions import make_private_folder
from core.runtime.tasks import TaskOutcome, outcome_of
from core.runtime.threads import Check, in_thread

if TYPE_CHECKING:
    from obstore.store import S3Store

log = structlog.get_logger(__name__)

TRIES = 3  # of a transfer that breaks
WAIT_S = 0.5  # before the second try, doubled before each further one, times 0.5 to 1.5
PIECE_BYTES = 1 << 20
DIGEST = "sha256"  # the object's own note of its content


class BucketArtefacts:
    """Implements :class:`core.interfaces.artefacts.Artefacts` for all nodes of a cluster."""

    shared = True

    def __init__(
        self,
        store: "S3Store",
        cache: NodeCache,
        mark: Mark,
        signer: UrlSigner | None,
        address: str,
        endpoint: str,
        wait_s: float = WAIT_S,
    ) -> None:
        """Take what was opened (:mod:`core.artefacts.opening`).

        Args:
            store: of the bucket, below the prefix.
            cache: of this node.
            mark: says whose the prefix is.
            signer: None where browsers do not reach the bucket.
            address: of the bucket, for operators.
            endpoint: where it is asked, for operators.
            wait_s: before a second try.
        """
        self._store = store
        self._cache = cache
        self._mark = mark
        self._signer = signer
        self._address = address
        self._endpoint = endpoint
        self._wait_s = wait_s
        self._fetching: dict[str, asyncio.Task[TaskOutcome[None]]] = {}

    async def put(self, name: str, path: Path) -> None:
        """Upload the file at ``path``, unless the bucket has it.

        Raises:
            ArtefactsUnavailable: nothing has the name in the bucket.
        """
        require_name(name)
        size = (await asyncio.to_thread(path.stat)).st_size
        with self._named():
            if await asyncio.to_thread(self._size_of, name) == size:
                return
            digest = digest_in(name) or await asyncio.to_thread(sha256_of, path)
            notes = {"Content-Type": content_type(name), DIGEST: digest}
            await obstore.put_async(self._store, name, path, attributes=notes)
            await asyncio.to_thread(self._cache.make_room, 0, self._has)

    async def local(self, name: str, sha256: str = "") -> Path:
        """Return where the artefact lies on this node; fetch it once, whoever asks meanwhile.

        Raises:
            ArtefactGone: the bucket has none.
            ArtefactsUnavailable: it cannot be fetched just now.
        """
        place = self._cache.place(require_name(name))
        if await asyncio.to_thread(self._cache.use, name):
            return place
        fetching = self._fetching.get(name)
        if fetching is None:
            fetching = asyncio.create_task(outcome_of(self._fetch(name, place, sha256)))
            self._fetching[name] = fetching
            fetching.add_done_callback(lambda _: self._fetching.pop(name, None))
        fetched = await asyncio.shield(fetching)
        with self._named():
            if fetched.error is not None:
                raise fetched.error
        return place

    def in_use(self, *names: str) -> AbstractContextManager[None]:
        """Keep what :meth:`local` gives for ``names`` on this node until the block ends."""
        return self._cache.in_use(*names)

    async def url(self, name: str, seconds: int, save_as: str = "") -> str | None:
        """Return a signed address in the bucket; None where browsers do not reach it."""
        await asyncio.sleep(0)
        require_name(name)
        if self._signer is None:
            return None
        key = f"{self._store.prefix}/{name}" if self._store.prefix else name
        return self._signer.sign(key, seconds, content_type(name), save_as, now_ms())

    async def delete(self, name: str) -> None:
        """Delete the object, and the file of this node.

        Raises:
            ArtefactsUnavailable: the object may be there still.
            FileNotFoundError: never; becomes the former.
        """
        place = self._cache.place(require_name(name))
        await asyncio.to_thread(place.unlink, missing_ok=True)
        with self._named():
            try:
                await obstore.delete_async(self._store, name)
            except FileNotFoundError as error:  # some servers say so of an object too
                if is_bucket_absent(error):
                    raise

    async def older(self, than: float) -> list[str]:
        """List the artefacts that the bucket got before ``than``, where the prefix is still ours.

        Raises:
            ArtefactsUnavailable: nobody can say, or the prefix belongs to somebody else by now.
        """
        with self._named():
            await asyncio.to_thread(self._mark.require, self._store)
            return await asyncio.to_thread(self._older, than)

    def _older(self, than: float) -> list[str]:
        return [
            found["path"]
            for page in obstore.list(self._store)  # pyright: ignore[reportUnknownMemberType]  # arrow's
            for found in page
            if ORIGINAL.fullmatch(found["path"]) and found["last_modified"].timestamp() < than
        ]

    def _has(self, name: str) -> bool:
        return self._size_of(name) is not None

    def _size_of(self, name: str) -> int | None:
        """Return the bytes of an object; None where there is none, or nobody may say."""
        try:
            return obstore.head(self._store, name)["size"]
        except (FileNotFoundError, PermissionDeniedError):  # S3 says 403 where listing is forbidden
            return None

    async def _fetch(self, name: str, place: Path, sha256: str) -> None:
        """Bring the object to ``place``, trying again what broke on the way.

        Raises:
            ArtefactGone: there is none.
            BaseError: the last try broke too.
            ArtefactDamaged: the last try brought another content too.
        """
        await asyncio.to_thread(make_private_folder, place.parent)
        number = 1
        while True:
            try:
                return await in_thread(partial(self._download, name, place, sha256))
            except (BaseError, ArtefactDamaged) as error:
                if number == TRIES or isinstance(error, PermissionDeniedError):
                    raise
                log.info("fetch_repeated", name=name, number=number, kind=type(error).__name__)
            jitter = random.uniform(0.5, 1.5)  # noqa: S311  # spreads load, keeps no secret
            await asyncio.sleep(self._wait_s * 2 ** (number - 1) * jitter)
            number += 1

    def _download(self, name: str, place: Path, sha256: str, check: Check) -> None:
        """Write the object to ``place``, whole and as it was stored, or not at all.

        Raises:
            ArtefactGone: there is none.
            ArtefactDamaged: it is another content.
            FileNotFoundError: there is no such bucket.
            OSError: errno ENOSPC, there is no room, also without what may go.
        """
        try:
            found = obstore.get(self._store, name)
        except FileNotFoundError as error:
            if is_bucket_absent(error):
                raise
            raise ArtefactGone(name) from None
        size, digest = found.meta["size"], hashlib.sha256()
        self._cache.make_room(size, self._has)
        with whole_file(place) as part, part.open("wb") as file:
            for piece in found.stream(min_chunk_size=PIECE_BYTES):
                check()
                digest.update(piece)
                self._write(file.write, bytes(piece), size)
            file.flush()
            noted = found.attributes.get(DIGEST, digest.hexdigest())
            expected = digest_in(name) or sha256 or noted
            if digest.hexdigest() != expected or file.tell() != size:
                raise ArtefactDamaged(name)

    def _write(self, write: Callable[[bytes], int], piece: bytes, size: int) -> None:
        """Write a piece; where the disk is full, once more after files went for it.

        Raises:
            OSError: there is no room.
        """
        try:
            write(piece)
        except OSError as error:
            if error.errno not in NO_ROOM or not self._cache.drop(size, self._has):
                raise
            write(piece)

    @contextmanager
    def _named(self) -> Generator[None]:
        """Tell people that it cannot be reached, and the log why.

        Raises:
            ArtefactsUnavailable: from the cause.
        """
        try:
            with named_bucket_troubles(self._address, self._endpoint, self._cache.data_dir):
                yield
        except SetupProblem as cause:
            log.error("artefacts_unavailable", code=cause.code, **cause.data())  # noqa: TRY400  # a cause, no defect
            raise ArtefactsUnavailable(cause.code) from cause
