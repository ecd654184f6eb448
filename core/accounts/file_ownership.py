"""Who needs each file that people send, and what is made of it: asked before any unlink.

A file goes when the last holder lets go: a kept job, a request in the making, a draft that waits
for words, a form of the Studio. The question and the unlink are one transaction, and so are a new
hold and the look whether the file is there; whoever comes second sees what the first one did.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from core.accounts.shared_files import SharedFiles
from core.domain.media import MediaFile
from core.domain.people import Requester
from core.domain.requests import Request
from core.domain.time_units import DAY_MS, HOUR_MS
from core.errors import MediaGone
from core.interfaces.artefacts import Artefacts
from core.runtime import file_names
from core.runtime.clock import Clock
from core.storage import files as rows
from core.storage.database import Database

REQUEST = "request"  # an admitted file between its admission and its job
REQUEST_MS = HOUR_MS  # from an upload to Generate; afterwards it is admitted again
UPLOAD = "upload"  # a file as it was sent to the Studio, while a page may refer to it
UPLOAD_MS = DAY_MS  # since it was sent; docs/operator.md
UNHELD_S = 3600.0  # an upload that nobody held for so long was never finished


@dataclass(frozen=True, slots=True)
class KeptFolders:
    """Where the files lie that have owners."""

    data: Path  # everything below is named from here
    media: Path  # admitted inputs
    uploads: Path  # what was sent to the Studio, as it was sent; need not exist
    staged: Path  # copies of inputs for ComfyUI, named by their source; need not exist


class FileOwnership:
    """Holds on files, one set of rows per data directory."""

    def __init__(
        self, database: Database, kept: KeptFolders, artefacts: Artefacts, clock: Clock
    ) -> None:
        self._database = database
        self._kept = kept
        self._shared = SharedFiles(database, kept.data, artefacts, clock)
        self._clock = clock

    async def hold(
        self, paths: Iterable[Path], holder: str, owner: Requester, life_ms: int
    ) -> bool:
        """Keep ``paths`` for ``holder`` for ``life_ms`` from now; False if one is gone.

        Raises:
            ArtefactsUnavailable: not where all nodes look; the hold ends by itself.
        """
        names = [self._name(path) for path in paths]
        async with self._shared.settled(names) as connection:
            if not all((self._kept.data / name).is_file() for name in names):
                return False
            until = self._clock() + life_ms
            await rows.hold(connection, names, holder, owner.key, until)
        await self._shared.share(names)
        return True

    @asynccontextmanager
    async def held(self, files: Iterable[MediaFile], owner: Requester) -> AsyncGenerator[None]:
        """Keep ``files`` where all nodes look while a job with them is written.

        Raises:
            ArtefactsUnavailable: that cannot be done just now.
        """
        needed = list(files)
        if not self._shared.exist or not needed:
            yield
            return
        try:
            paths = [self._kept.media / file.name for file in needed]
            await self.hold(paths, REQUEST, owner, REQUEST_MS)
            yield
        finally:
            await self.release(needed, owner)

    async def hold_only(
        self, files: Iterable[MediaFile], holder: str, owner: Requester, life_ms: int
    ) -> bool:
        """Let ``holder`` need these admitted files and no others; what it let go of goes.

        Returns:
            False where one of ``files`` is not there any more.
        """
        names = [self._name(self._kept.media / file.name) for file in files]
        async with self._shared.settled(names) as connection:
            before = await rows.let_go(connection, holder=holder)
            whole = all((self._kept.data / name).is_file() for name in names)
            until = self._clock() + life_ms
            await rows.hold(connection, names, holder, owner.key, until)
        await self._discard(set(before) - set(names))
        await self._shared.share(names)
        return whole

    async def share(self, path: Path) -> None:
        """Put an admitted file where all nodes look, if anybody needs it.

        Raises:
            ArtefactsUnavailable: that cannot be done just now.
        """
        name = self._name(path)
        async with self._shared.settled([name]) as connection:
            needed = await rows.held(connection, name, self._clock())
        if needed:
            await self._shared.share([name])

    async def release(self, files: Iterable[MediaFile], owner: Requester) -> None:
        """End what ``owner``'s request in the making needed; unless a job needs it, it goes."""
        names = [self._name(self._kept.media / file.name) for file in files]
        if not names:
            return
        async with self._database.transaction() as connection:
            gone = await rows.let_go(connection, files=names, holder=REQUEST, user_key=owner.key)
        await self._discard(gone)

    async def drop(self, path: Path, holder: str, owner: Requester) -> None:
        """End one hold; the file goes unless somebody else needs it."""
        name = self._name(path)
        async with self._database.transaction() as connection:
            await rows.let_go(connection, files=[name], holder=holder, user_key=owner.key)
        await self._discard([name])

    async def forget(self, owner: Requester) -> None:
        """End everything but jobs that needs files of ``owner``, and remove them."""
        async with self._database.transaction() as connection:
            gone = await rows.let_go(connection, user_key=owner.key)
        await self._discard(gone)

    async def discard(self, files: Iterable[MediaFile]) -> None:
        """Remove those of ``files`` that nobody needs."""
        await self._discard(self._name(self._kept.media / file.name) for file in files)

    async def discard_named(self, names: Iterable[str]) -> int:
        """Remove those of the admitted files called so that nobody needs; return how many."""
        ours = [name for name in names if file_names.MEDIA.fullmatch(name)]
        return await self._discard(self._name(self._kept.media / name) for name in ours)

    async def held_by(self, holder: str) -> list[tuple[Path, Requester]]:
        """List what ``holder`` needs, and whose it is."""
        async with self._database.snapshot() as connection:
            found = await rows.holds_of(connection, holder, self._clock())
        return [(self._kept.data / row.file, Requester.from_key(row.user_key)) for row in found]

    def present(self, file: MediaFile) -> bool:
        """Tell whether the admitted ``file`` is there."""
        return (self._kept.media / file.name).is_file()

    def require(self, request: Request) -> None:
        """Refuse a request whose files are not all there; call it where its job is written.

        Raises:
            MediaGone: the first that is missing has to be sent again.
        """
        for role, file in request.media().items():
            if not self.present(file):
                raise MediaGone(role)

    async def sweep(self, unheld_s: float = UNHELD_S) -> int:
        """Remove what nobody needs and nobody wrote to for ``unheld_s``; return how many files.

        With 0, at a start, also what lies staged: no attempt runs yet. Nothing goes where the
        database is not the newest of this folder: newer rows may need what no row names.
        """
        if not self._database.newest:
            return 0
        async with self._database.transaction(turn=False) as connection:
            await rows.expire(connection, self._clock())
        before = self._clock() / 1000 - unheld_s if unheld_s else None
        found = await asyncio.to_thread(self._candidates, before)
        gone = await self._discard(found)
        await asyncio.to_thread(_remove_empty, self._kept.uploads)
        if not unheld_s:
            await asyncio.to_thread(_remove_staged, self._kept.staged, "")
        return gone

    def _candidates(self, before: float | None) -> list[str]:
        """List the files of ours last written before ``before`` (epoch s; None: all)."""
        admitted = file_names.files_of(self._kept.media, file_names.MEDIA)
        sent = [
            path
            for top in _inside(self._kept.uploads)
            if file_names.UPLOADED.fullmatch(top.name)
            for path in (top, *top.rglob("*"))
        ]
        return [
            self._name(path)
            for path in (*admitted, *sent)
            if path.is_file() and (before is None or path.lstat().st_mtime < before)
        ]

    async def _discard(self, names: Iterable[str]) -> int:
        """Remove the files among ``names`` that nobody needs, and their now empty folders."""
        gone = 0
        for name in names:
            async with self._database.transaction() as connection:
                needed = await rows.held(connection, name, self._clock())
                if not needed:
                    # inside: a hold that comes next finds the file gone, never about to go
                    (self._kept.data / name).unlink(missing_ok=True)
                    gone += 1
                    self._after(name)
                    await self._shared.note_going(connection, name)
            if not needed:
                await self._shared.delete(name)
        return gone

    def _after(self, name: str) -> None:
        path = self._kept.data / name
        if path.parent == self._kept.media:
            _remove_staged(self._kept.staged, path.stem)
        elif path.parent != self._kept.uploads and path.parent.is_dir():
            _remove_if_empty(path.parent)

    def _name(self, path: Path) -> str:
        """Name ``path`` as the rows do: relative to the data directory.

        Raises:
            ValueError: it does not lie in the data directory.
        """
        return path.resolve().relative_to(self._kept.data).as_posix()


def _inside(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []


def _remove_staged(folder: Path, source: str) -> None:
    """Remove what was prepared for ComfyUI from ``source`` (SHA-256), or from anything if empty."""
    for path in file_names.files_of(folder, file_names.STAGED):
        if path.name.startswith(source):
            path.unlink(missing_ok=True)


def _remove_empty(folder: Path) -> None:
    """Remove the empty folders below ``folder`` that uploads were in."""
    for top in _inside(folder):
        if top.is_dir() and file_names.UPLOADED.fullmatch(top.name):
            below = [path for path in top.rglob("*") if path.is_dir()]
            for path in (*sorted(below, reverse=True), top):
                _remove_if_empty(path)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # something else lies there, or it went already
