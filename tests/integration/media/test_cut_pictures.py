"""A photo that lost a little at its end is used, and said to; one that lost much is refused."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from core.domain.media import MediaKind
from core.errors import MediaDamaged
from core.media.intake.store import MediaStore

WAYS = {
    "JPEG": {"quality": 90},
    "progressive": {"quality": 90, "progressive": True},
    "PNG": {"compress_level": 1},
}


def photo(way: str) -> bytes:
    """Return a picture of noise, whose bytes are spread evenly over its rows."""
    out = BytesIO()
    image = Image.effect_noise((600, 2400), 60).convert("RGB")
    image.save(out, "PNG" if way == "PNG" else "JPEG", **WAYS[way])
    return out.getvalue()


@pytest.mark.parametrize("way", WAYS)
async def test_a_photo_without_a_little_of_its_end_is_used(
    way: str, tmp_path: Path, store: MediaStore
) -> None:
    whole = photo(way)
    source = tmp_path / "cut"
    source.write_bytes(whole[: round(len(whole) * 0.995)])

    file = await store.admit(source, "image", MediaKind.IMAGE)

    assert file.width == 600
    assert 2400 * 0.99 <= file.height <= 2400
    told = [note.code for note in file.notes]
    assert told == ([] if file.height == 2400 else ["end_missing"])


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("way", ["JPEG", "PNG"])
async def test_a_photo_without_much_of_its_end_is_refused(
    way: str, share: float, tmp_path: Path, store: MediaStore
) -> None:
    whole = photo(way)
    source = tmp_path / "cut"
    source.write_bytes(whole[: round(len(whole) * share)])

    with pytest.raises(MediaDamaged):
        await store.admit(source, "image", MediaKind.IMAGE)


async def test_a_progressive_photo_that_ends_before_its_last_scan_is_refused(
    tmp_path: Path, store: MediaStore
) -> None:
    whole = photo("progressive")
    source = tmp_path / "cut"
    source.write_bytes(whole[: whole.rindex(b"\xff\xda") - 10])

    with pytest.raises(MediaDamaged):
        await store.admit(source, "image", MediaKind.IMAGE)
