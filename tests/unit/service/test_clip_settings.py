"""What a file says of itself, for the form that makes it again."""

from dataclasses import replace
from pathlib import Path

from core.demo.samples import write_png
from core.media.output.clip_writer import write_clip
from core.media.output.provenance import Provenance
from core.service.clip_settings import ClipSettings, read_clip_settings
from core.testing.doubles import grey_clip, t2v


async def test_a_clip_gives_its_settings_back(tmp_path: Path) -> None:
    request = t2v()
    origin = Provenance.of("0" * 32, request, with_prompt=False)

    clip = await write_clip(grey_clip(request.sampling), tmp_path, origin)

    sampling = replace(request.sampling, negative_prompt="")
    assert read_clip_settings(clip.path) == ClipSettings(request.mode, sampling, "")


def test_a_file_that_is_no_clip_of_ours_has_none(tmp_path: Path) -> None:
    assert read_clip_settings(write_png(tmp_path / "picture.png")) is None
