"""What comes in: JSON, forms and files, with limits before anything is kept."""

import asyncio
import hashlib
import json
import shutil
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from core.domain.modes import MODES
from core.errors import IntakeClosed, MediaTooLarge
from core.errors.programs import BodyUnreadable, FieldMistyped
from webui.api.v1.answers import FileAnswer
from webui.auth.visitors import Visitor
from webui.studio.loop_bridge import Bridge
from webui.studio.sent_files import ReadFile
from webui.studio.service import StudioService

JSON_BYTES = 256 * 1024  # of a request without its files
_FIELD_BYTES = 64 * 1024  # of one field of a form that is no file
_FRAMING_BYTES = 10_000  # of a form around each of its parts, at most
_NAME = "upload"  # of each file in a folder of its own: what it was called is nobody's business
_PIECE = 1 << 20
_ROLES = frozenset(slot.role for spec in MODES.values() for slot in spec.every_slot)


def media_type(request: Request) -> str:
    """Return the type that was sent, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json(request: Request) -> dict[str, Any]:
    """Read the JSON object that was sent.

    Raises:
        BodyUnreadable: there is none, or too much of it.
    """
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > JSON_BYTES:
            raise BodyUnreadable("body_size")
    try:
        found: Any = json.loads(raw, parse_constant=_refuse, object_pairs_hook=_once)
        json.dumps(found, ensure_ascii=False).encode()  # half a character can be answered nowhere
    except (ValueError, RecursionError):
        raise BodyUnreadable("body_json") from None
    if not isinstance(found, dict):
        raise BodyUnreadable("body_json")
    return cast("dict[str, Any]", found)


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


@dataclass(frozen=True, slots=True)
class SentFields:
    """What stood in a request: texts and ids of files, and by role what was read and not kept."""

    values: dict[str, Any]
    read: dict[str, ReadFile] = field(default_factory=dict[str, ReadFile])


class ProgramFiles:
    """Keeps what programs send, each file as its sender's, by an id that says nothing."""

    def __init__(self, service: StudioService, bridge: Bridge) -> None:
        """Take whose the files become, and the way to the core."""
        self._service = service
        self._bridge = bridge
        self._folder = service.settings.uploads_folder
        self._limits = service.settings.media.limits()

    def path_of(self, file_id: str) -> str:
        """Return where the file called so would be; whose it is, is asked where it is used."""
        return str(self._folder / file_id / _NAME)

    async def keep(self, request: Request, visitor: Visitor) -> FileAnswer:
        """Keep the one file that was sent, as the body or as the field ``file`` of a form.

        Raises:
            BodyUnreadable: it is no form, or one with other fields.
            MediaTooLarge: more bytes than any file may have.
            IntakeClosed: the disk is nearly full.
        """
        self._refuse(request, 1)
        if media_type(request) != "multipart/form-data":
            return await self._write(request.stream(), visitor)
        async with self.form(request, files=1, fields=0) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise BodyUnreadable("body_form")
            return await self._write(_pieces(file), visitor)

    async def keep_each(self, form: FormData, visitor: Visitor, *, kept: bool = True) -> SentFields:
        """Keep the files of ``form``, or only read them, and return its fields.

        Raises:
            BodyUnreadable: a field stands there twice.
            FieldMistyped: a file where no mode has one.
            MediaTooLarge: more bytes than any file may have.
            IntakeClosed: the disk is nearly full.
        """
        if len(form.multi_items()) != len(form):
            raise BodyUnreadable("body_form")
        fields, read = dict[str, str](), dict[str, ReadFile]()
        for name, value in form.items():
            if isinstance(value, UploadFile):
                if name not in _ROLES:
                    raise FieldMistyped(name[:40], "string")
                if kept:
                    fields[name] = (await self._write(_pieces(value), visitor)).id
                else:
                    fields[name] = uuid4().hex
                    read[name] = ReadFile(await _digest_of(_pieces(value)))
            else:
                fields[name] = value
        return SentFields(fields, read)

    @asynccontextmanager
    async def form(
        self, request: Request, *, files: int, fields: int, kept: bool = True
    ) -> AsyncGenerator[FormData]:
        """Read a form with at most so many files and other fields; its files end with the block.

        A form of which nothing is ``kept`` needs no room.

        Raises:
            BodyUnreadable: it is none, or has more.
            MediaTooLarge: more bytes than so many files may have.
        """
        most = files * (self._limits.stream_bytes + _FRAMING_BYTES) + fields * _FIELD_BYTES
        self._refuse(request, max(1, files), kept=kept)
        counted = Request(request.scope, _Counted(request, most))
        try:
            form = await counted.form(
                max_files=files, max_fields=fields, max_part_size=_FIELD_BYTES
            )
        except (HTTPException, ValueError):  # what parsers of forms raise
            raise BodyUnreadable("body_form") from None
        try:
            yield form
        finally:
            await form.close()

    def _refuse(self, request: Request, files: int, *, kept: bool = True) -> None:
        declared = request.headers.get("content-length", "")[:15]
        size, most = int(declared) if declared.isdecimal() else 0, self._limits.stream_bytes
        if size > files * (most + _FRAMING_BYTES) + JSON_BYTES:
            raise MediaTooLarge("upload", size, most)
        if kept and not self._service.has_room(size):
            raise IntakeClosed("disk")

    async def _write(self, pieces: AsyncIterable[bytes], visitor: Visitor) -> FileAnswer:
        file_id = uuid4().hex
        folder = self._folder / file_id
        try:
            size, digest = await self._save(pieces, folder)
            await self._bridge.call(self._service.files.keep_upload(str(folder / _NAME), visitor))
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            raise
        return FileAnswer(id=file_id, bytes=size, sha256=digest)

    async def _save(self, pieces: AsyncIterable[bytes], folder: Path) -> tuple[int, str]:
        """Write ``pieces`` into ``folder`` and return their size and digest.

        Raises:
            MediaTooLarge: there are too many bytes.
            BodyUnreadable: there are none.
        """
        size, digest = 0, hashlib.sha256()
        await asyncio.to_thread(folder.mkdir, parents=True)
        with (folder / _NAME).open("wb") as out:
            async for piece in pieces:
                size += len(piece)
                if size > self._limits.stream_bytes:
                    raise MediaTooLarge("upload", size, self._limits.stream_bytes)
                digest.update(piece)
                await asyncio.to_thread(out.write, piece)
        if not size:
            raise BodyUnreadable("body_form")
        return size, digest.hexdigest()


class _Counted:
    """The body of a request, which ends with an error where it is longer than it may be."""

    def __init__(self, request: Request, most: int) -> None:
        self._receive = request.receive
        self._most = most
        self._read = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > self._most:
            raise MediaTooLarge("upload", self._read, self._most)
        return message


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(_PIECE):
        yield piece


async def _digest_of(pieces: AsyncIterable[bytes]) -> str:
    digest = hashlib.sha256()
    async for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def file_ids(given: dict[str, str | None]) -> dict[str, str]:
    """Return the files of a request, ids by role, without those that are left out.

    Raises:
        FieldMistyped: one is no id.
    """
    found = {role: value for role, value in given.items() if value is not None}
    for role, value in found.items():
        if len(value) != 32 or set(value) - set("0123456789abcdef"):
            raise FieldMistyped(role, "file id")
    return found
