"""Admit mutated files of every device of the tests' table, and count what becomes of them.

``python bench/media_fuzz.py --files 2000 --seed 1``. A file ends as a stored file or a
refusal; anything else is printed as a fault with its number, and ends the run with status 1.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.domain.limits import MediaLimits
from core.domain.media import MediaKind
from core.errors import MediaRefused
from core.media.intake.store import MediaStore
from core.testing.mutations import mutated
from tests.integration.media import device_pictures, device_recordings

_LARGEST = 400_000  # bytes of a file to be mutated; large ones say nothing more and take longer


def rows() -> list[tuple[str, MediaKind, bytes]]:
    """Return name, kind and content of every file of the table that is not too large.

    Films come twice: as a film, and as the sound that somebody wants of them.
    """
    made = [(row.device, MediaKind.IMAGE, row.make()) for row in device_pictures.PICTURES
            if row.size[0] < 1000]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for row in device_recordings.RECORDINGS:
            content = row.make(Path(folder)).read_bytes()
            made += [(row.device, kind, content) for kind in (MediaKind.VIDEO, MediaKind.AUDIO)]
    return [row for row in made if len(row[2]) < _LARGEST]


class Fuzz:
    """Admits files of the table, mutated, and keeps what became of them."""

    def __init__(self, files: int, seed: int, folder: Path) -> None:
        self.table, self.files, self.seed, self.folder = rows(), files, seed, folder
        self.store = MediaStore(folder / "media", MediaLimits(decode_seconds=20))
        self.numbers = iter(range(files))
        self.found = Counter[str]()
        self.faults: list[str] = []
        self.memory = 0

    async def run(self, at_once: int) -> None:
        """Admit all files."""
        watching = asyncio.create_task(self._watch())
        await asyncio.gather(*(self._admit(f"w{number}") for number in range(at_once)))
        watching.cancel()

    def report(self, seconds: float) -> int:
        """Print the counts, and return the status of the process."""
        left = [path.name for path in self.store.folder.glob("*")]
        print(f"{self.files} files of {len(self.table)} devices in {seconds:.0f} s")
        for code, count in self.found.most_common():
            print(f"{count:6} {code}")
        print(f"largest child {self.memory / 1e6:.0f} MB, files left behind {len(left)}")
        for fault in self.faults:
            print("FAULT", fault)
        return 1 if self.faults or left or self.memory > MediaLimits().decode_memory else 0

    async def _admit(self, name: str) -> None:
        source = self.folder / name
        for number in self.numbers:
            device, kind, content = self.table[number % len(self.table)]
            source.write_bytes(mutated(content, self.seed * 1_000_003 + number))
            try:
                file = await self.store.admit(source, "x", kind, name)
                self.found["stored"] += 1
                self.store.path_of(file).unlink(missing_ok=True)
            except MediaRefused as refusal:
                self.found[refusal.code] += 1
            except Exception as error:  # noqa: BLE001  # whatever it is, it is a fault
                self.faults.append(f"{device}, number {number}: {error!r}")

    async def _watch(self) -> None:
        here = psutil.Process()
        while True:
            for child in here.children():
                with suppress(psutil.Error):
                    self.memory = max(self.memory, child.memory_info().rss)
            await asyncio.sleep(0.02)


def main() -> int:
    """Read the command line, and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=3)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fuzz = Fuzz(told.files, told.seed, Path(folder))
        began = time.monotonic()
        asyncio.run(fuzz.run(told.at_once))
        return fuzz.report(time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
