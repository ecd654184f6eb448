"""What phones, cameras and programs write by default is stored as it looks there.

A row is a device or program: the file is made by the test, and what is measured is the stored file.
"""

from pathlib import Path

import pytest
from PIL import Image

from core.domain.media import MediaKind
from core.media.intake.store import MediaStore
from tests.integration.media.device_colours import quadrants
from tests.integration.media.device_pictures import PICTURES, Picture


@pytest.mark.parametrize("row", PICTURES, ids=lambda row: row.device)
async def test_a_picture_is_stored_as_it_looks(
    row: Picture, tmp_path: Path, store: MediaStore
) -> None:
    source = tmp_path / "picture"
    source.write_bytes(row.make())

    file = await store.admit(source, "image", MediaKind.IMAGE)

    with Image.open(store.path_of(file)) as kept:
        found = quadrants(kept)
        assert kept.size == pytest.approx(row.size, abs=1)
    for told, expected in zip(found, row.colours, strict=True):
        assert told == pytest.approx(expected, abs=row.tolerance), found
    assert tuple(note.code for note in file.notes) == row.notes
