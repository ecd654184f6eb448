"""The fields take whatever the intake takes, also where a browser has no name for its type."""

import base64
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from PIL import Image
from playwright.async_api import expect

from core.domain.file_types import offered_types
from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from tests.support import recordings

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share
Visits = Callable[..., Awaitable[Any]]
DROP = """([id, name, type, content]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  document.querySelector(`[id="${id}"] input[type=file]`).parentElement.dispatchEvent(
    new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: transfer }));
}"""


def heic(folder: Path) -> bytes:
    out = BytesIO()
    pillow_heif.from_pillow(Image.open(recordings.picture(folder))).save(out, quality=90)
    return out.getvalue()


def mkv(folder: Path) -> bytes:
    return recordings.moving_film(folder, "a.mkv", *recordings.X264, "-c:a", "aac").read_bytes()


MAKE = {MediaKind.IMAGE: heic, MediaKind.AUDIO: mkv, MediaKind.VIDEO: mkv}
NAMES = [("sent", ""), ("sent.bin", "application/octet-stream"), ("sent.txt", "text/x-unknown")]


@pytest.mark.parametrize("chosen", [False, True], ids=["dropped", "chosen"])
@pytest.mark.parametrize("mode", [Mode.LIPSYNC, Mode.STYLE])
async def test_a_file_without_a_known_type_is_taken_by_its_bytes(
    mode: Mode, chosen: bool, visit: Visits, tmp_path: Path
) -> None:
    visitor = await visit()
    await visitor.open(mode)
    form = visitor.form(mode)

    for slot, (name, type_) in reversed(list(zip(MODES[mode].slots, NAMES, strict=False))):
        content = MAKE[slot.kind](tmp_path)
        field = f"{slot.role}-{mode}"
        async with visitor.page.expect_response(lambda answer: "/upload" in answer.url):
            if chosen:
                sent = {"name": name, "mimeType": type_, "buffer": content}
                await visitor.page.locator(f"#{field} input[type=file]").set_input_files(sent)
            else:
                what = [field, name, type_, base64.b64encode(content).decode()]
                await visitor.page.evaluate(DROP, what)

    await form.locator(".cl-preflight dd").first.wait_for(timeout=40_000)
    await expect(form.locator(".cl-preflight [role=alert]")).to_have_count(0)


async def test_dialogs_offer_what_the_intake_takes(visit: Visits) -> None:
    visitor = await visit()
    await visitor.open(Mode.LIPSYNC)

    for slot in MODES[Mode.LIPSYNC].slots:
        picker = visitor.page.locator(f"#{slot.role}-{Mode.LIPSYNC} input[type=file]")
        async with visitor.page.expect_file_chooser():
            await picker.locator("..").click()
        assert await picker.get_attribute("accept") == ",".join(offered_types(slot.kind))
