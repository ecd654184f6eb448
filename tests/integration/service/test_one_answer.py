"""The same file gets the same answer at every front, whatever type is declared for it."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import av
import discord
import pillow_heif
import pytest
from PIL import Image
from telegram import Bot, Message

from bots.discord.attachments import check_declared
from bots.discord.served_files import ServedFile
from bots.telegram.attachments import AttachmentFetcher, attachment_of
from bots.telegram.request_form import RequestForm
from core.app.core import Core
from core.demo.samples import write_wav
from core.domain.file_types import likely_kinds
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.people import Requester
from core.errors import MediaRefused
from core.i18n.messages import explain
from tests.integration.media.conftest import write_click, write_film
from tests.support.jobs import caller

IMAGE, AUDIO, VIDEO = MediaKind
MODE_OF = {IMAGE: Mode.I2V, AUDIO: Mode.A2V, VIDEO: Mode.STYLE}
GENERAL = ("application/octet-stream", None, "binary/octet-stream", "")


@dataclass(frozen=True)
class Sent:
    """A file for a slot, the types that platforms declare for it, and what the answer says."""

    what: str
    kind: MediaKind
    make: Callable[[Path], bytes]
    name: str
    types: tuple[str | None, ...]
    refused: str = ""  # part of the sentence; accepted without


def picture(format_: str) -> Callable[[Path], bytes]:
    def made(folder: Path) -> bytes:
        del folder
        out = BytesIO()
        image = Image.new("RGB", (64, 48), "teal")
        if format_ == "HEIF":
            pillow_heif.from_pillow(image).save(out)
        else:
            image.save(out, format_)
        return out.getvalue()

    return made


def film(suffix: str, codec: str, sound: str) -> Callable[[Path], bytes]:
    return lambda folder: write_film(
        folder / f"made.{suffix}", codec=codec, sound=sound
    ).read_bytes()


def wave(folder: Path) -> bytes:
    return write_wav(folder / "made.wav").read_bytes()


def exactly(content: bytes) -> Callable[[Path], bytes]:
    return lambda _: content


MP4, WEBM = film("mp4", "libx264", "aac"), film("webm", "libvpx", "libopus")
SENT = (
    Sent("JPEG", IMAGE, picture("JPEG"), "IMG_1.JPG", (*GENERAL, "image/jpeg", "image/pjpeg")),
    Sent("nameless JPEG", IMAGE, picture("JPEG"), "file", (*GENERAL, "application/x-unknown")),
    Sent("PNG called JPEG", IMAGE, picture("PNG"), "a.jpg", ("image/jpeg", "video/mp4", *GENERAL)),
    Sent("HEIC", IMAGE, picture("HEIF"), "IMG_1.HEIC", (*GENERAL, "image/heic", "image/heif")),
    Sent("GIF as picture", IMAGE, picture("GIF"), "a.gif", (*GENERAL, "image/gif")),
    Sent("WAV", AUDIO, wave, "a.wav", (*GENERAL, "audio/x-wav", "application/ogg")),
    Sent("film as sound", AUDIO, MP4, "a.mp4", (*GENERAL, "video/mp4", "application/mp4")),
    Sent("voice of a browser", AUDIO, WEBM, "a.webm", (*GENERAL, "video/webm", "audio/webm")),
    Sent("MP4", VIDEO, MP4, "a.mp4", (*GENERAL, "video/mp4", "application/mp4", "audio/mp4")),
    Sent("WebM", VIDEO, WEBM, "blob", (*GENERAL, "video/x-matroska", "application/x-matroska")),
    Sent("film as picture", IMAGE, MP4, "a.mp4", (*GENERAL, "video/mp4"), "a screenshot"),
    Sent("picture as sound", AUDIO, picture("PNG"), "a.png", (*GENERAL, "image/png"), "is PNG"),
    Sent("PDF", IMAGE, exactly(b"%PDF-1.7 "), "a.pdf", (*GENERAL, "application/pdf"), "a PDF"),
    Sent("archive", IMAGE, exactly(b"PK\3\4" + bytes(60)), "a.zip",
         (*GENERAL, "application/zip"), "an archive"),
    Sent("animated sticker", IMAGE, exactly(b"\x1f\x8b\x08" + bytes(60)), "a.tgs",
         (*GENERAL, "application/x-tgsticker", "application/gzip"), "animated sticker"),
    Sent("text", VIDEO, exactly(b"A red kite over the sea, please. Thank you!"), "a.txt",
         (*GENERAL, "text/plain", "text/plain; charset=utf-8"), "is a text"),
    Sent("SVG", IMAGE, exactly(b"<svg xmlns='x'/>"), "a.svg", (*GENERAL, "image/svg+xml"), "SVG"),
    Sent("RAW", IMAGE, exactly(b"\0\0\0\x18ftypcrx \0\0\0\1crx isom"), "a.cr3",
         (*GENERAL, "image/x-canon-cr3"), "a raw photo"),
    Sent("nothing", AUDIO, exactly(b""), "a.wav", GENERAL, "empty"),
    Sent("noise", AUDIO, exactly(b"\x01\x02\x03\x04" * 50), "a.mp3",
         (*GENERAL, "audio/mpeg"), "unknown format"),
)  # fmt: skip

ANN = Requester("test", "ann")


def role_of(kind: MediaKind) -> str:
    return next(slot.role for slot in MODES[MODE_OF[kind]].slots if slot.kind is kind)


def at_discord(core: Core, content: bytes, sent: Sent, declared: str | None) -> str:
    data: dict[str, Any] = {"id": "1", "filename": sent.name, "size": len(content), "url": "x"}
    data |= {"proxy_url": "x"} | ({} if declared is None else {"content_type": declared})
    state: Any = SimpleNamespace(http=None)
    attachment = discord.Attachment(data=cast("Any", data), state=state)
    slot = next(slot for slot in MODES[MODE_OF[sent.kind]].slots if slot.kind is sent.kind)
    check_declared(ServedFile.of(attachment), slot, core.users.media_limits)
    return decoded_as(core, content, slot.role, sent.kind)


def at_telegram(core: Core, content: bytes, sent: Sent, declared: str | None) -> str:
    document = {"file_id": "1", "file_unique_id": "1", "file_name": sent.name}
    document |= {} if declared is None else {"mime_type": declared}
    chat = {"id": 1, "type": "private"}
    message = Message.de_json({"message_id": 1, "date": 1, "chat": chat, "document": document})
    attachment = attachment_of(message)
    assert attachment is not None
    form = RequestForm(mode=MODE_OF[sent.kind])
    other = MediaFile("a" * 64, ".png", IMAGE, 1)
    form = form.with_file(other) if sent.kind is not IMAGE else form
    roles = form.roles_for(attachment.kinds)
    fetcher = AttachmentFetcher(
        cast("Bot", None), core.users.files, core.users.media_limits, local=False
    )
    likeliest, role = next(iter(roles.items()))
    fetcher.check(attachment, role, likeliest)
    kind = (core.media.usable_kinds(reader(content), tuple(roles)) or tuple(roles))[0]
    return decoded_as(core, content, roles[kind], kind)


def by_bytes(core: Core, content: bytes, sent: Sent, declared: str | None) -> str:
    """The Studio's uploads, the API, agents and the command line: nothing is declared there."""
    del declared
    return decoded_as(core, content, role_of(sent.kind), sent.kind)


def decoded_as(core: Core, content: bytes, role: str, kind: MediaKind) -> str:
    return f"{core.media.check(len(content), reader(content), role, kind).name} as {role}"


def reader(content: bytes) -> Callable[[int, int], bytes]:
    return lambda at, count: content[at : at + count]


def answer(front: Callable[..., str], *asked: object) -> str:
    try:
        return front(*asked)
    except MediaRefused as refusal:
        return explain(refusal)


@pytest.mark.parametrize("sent", SENT, ids=lambda sent: sent.what)
async def test_a_file_gets_the_same_answer_at_every_front(
    sent: Sent, core: Core, tmp_path: Path
) -> None:
    content = sent.make(tmp_path)
    expected = answer(by_bytes, core, content, sent, None)
    said = {
        f"{front.__name__}: {declared}": answer(front, core, content, sent, declared)
        for declared in sent.types
        for front in (at_discord, at_telegram)
    }

    assert set(said.values()) == {expected}, said
    path = tmp_path / "sent"
    path.write_bytes(content)
    if sent.refused:
        with pytest.raises(MediaRefused) as caught:
            await core.admission.admit(path, "x", sent.kind, ANN)
        assert sent.refused in explain(caught.value)
    else:
        file = await core.users.files.admit_any(caller(ANN), path, {sent.kind: "x"})
        assert file.kind is sent.kind


@pytest.mark.parametrize("declared", ["video/webm", None])
async def test_a_film_without_pictures_is_a_sound_where_both_would_do(
    declared: str | None, core: Core, tmp_path: Path
) -> None:
    voice = tmp_path / "voice.webm"
    write_sound(voice)

    file = await core.users.files.admit_any(
        caller(ANN), voice.read_bytes(), {kind: kind.value for kind in likely_kinds(declared)}
    )

    assert file.kind is AUDIO


def write_sound(path: Path) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libopus", rate=48_000, layout="mono")
        write_click(out, stream, 1.0)
