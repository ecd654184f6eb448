"""Mutated files of devices are stored or refused: a slice of ``bench/media_fuzz.py``."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.domain.limits import MediaLimits
from core.domain.media import MediaKind
from core.errors import MediaRefused
from core.media.intake.protocol import SUFFIXES
from core.media.intake.store import MediaStore
from core.testing.mutations import mutated
from tests.integration.media.device_pictures import PICTURES

SMALL = [row for row in PICTURES if row.size[0] < 1000]
EACH = 10  # files of a slice; all of them are 2 000


@pytest.mark.parametrize("slice_", [0, 1])
async def test_mutated_pictures_are_stored_or_refused(slice_: int, tmp_path: Path) -> None:
    store = MediaStore(tmp_path / "media", MediaLimits(decode_seconds=10))
    stored = 0
    with capture_logs() as logs:
        for number in range(slice_ * EACH, (slice_ + 1) * EACH):
            source = tmp_path / "sent"
            source.write_bytes(mutated(SMALL[number % len(SMALL)].make(), number))
            try:
                await store.admit(source, "image", MediaKind.IMAGE)
                stored += 1
            except MediaRefused:
                continue

    assert 0 < stored < EACH
    assert [entry for entry in logs if entry["event"].startswith("media_sandbox")] == []
    kept = list(store.folder.iterdir())
    assert len(kept) <= stored
    assert all(path.suffix in SUFFIXES[MediaKind.IMAGE] for path in kept)
