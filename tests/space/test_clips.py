"""Clips of a Space: the first on a fresh GPU, the next on a warm one, and all of them kept."""

import time
from io import BytesIO
from pathlib import Path

import av

from core.demo.samples import write_png, write_wav
from tests.space.machine import Machine


def streams(clip: bytes) -> dict[str, str]:
    with av.open(BytesIO(clip)) as opened:
        return {stream.type: stream.codec_context.name for stream in opened.streams}


async def test_the_first_clip_and_the_next_come_out_and_nothing_is_written_outside_home(
    machine: Machine, tmp_path: Path
) -> None:
    began = time.time() - 1
    async with machine.running() as space, space.visitor("ada") as ada:
        page = await ada.http.get("/")
        first = await ada.made(await ada.ask())
        image = await ada.upload(write_png(tmp_path / "a.png"))
        sound = await ada.upload(write_wav(tmp_path / "a.wav"))
        second = await ada.made(await ada.ask("lipsync", image, sound))

    assert page.status_code == 200
    assert streams(first) == streams(second) == {"video": "h264", "audio": "aac"}
    assert "/startup-report" in machine.lender.calls
    assert [lease.warm for lease in machine.lender.leases] == [False, True]
    assert {lease.how for lease in machine.lender.leases} == {"released"}
    assert list(machine.written(began)) == []
    assert [path.name for path in (machine.home / ".cache").iterdir()] == ["huggingface"]
    assert space.broke() == []
