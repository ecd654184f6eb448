"""Admit mutated files of every device of the tests' table, and count what becomes of them.

``python bench/media_fuzz.py --files 2000 --seed 1``. A file ends as a stored file or a refusal; anything
else is printed as a fault, with the seed that makes it again, and ends the run with status 1.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.domain.limits import MediaLimits
from core.domain.media import MediaKind
from core.errors import MediaRefused
from core.media.intake.store import MediaStore
from core.testing.mutations import mutated
from tests.integration.media import device_pictures

_LARGEST = 400_000  # bytes of a file to be mutated; large ones say nothing more and take longer


def rows() -> list[tuple[str, MediaKind, bytes]]:
    """Return name, kind and content of every file of the table that is not too large."""
    made = [(row.device, MediaKind.IMAGE, row.make()) for row in device_pictures.PICTURES
            if row.size[0] < 1000]  # fmt: skip
    return [row for row in made if len(row[2]) < _LARGEST]


async def run(files: int, seed: int, at_once: int) -> int:
    table, found, faults = rows(), Counter[str](), list[str]()
    memory = [0]
    numbers = iter(range(files))
    with tempfile.TemporaryDirectory() as folder:
        store = MediaStore(Path(folder) / "media", MediaLimits(decode_seconds=20))

        async def worker(name: str) -> None:
            source = Path(folder) / name
            for number in numbers:
                device, kind, content = table[number % len(table)]
                source.write_bytes(mutated(content, seed * 1_000_003 + number))
                try:
                    file = await store.admit(source, "x", kind, name)
                    found["stored"] += 1
                    store.path_of(file).unlink(missing_ok=True)
                except MediaRefused as refusal:
                    found[refusal.code] += 1
                except Exception as error:  # whatever it is, it is a fault
                    faults.append(f"{device}, number {number}: {error!r}")

        async def watch() -> None:
            here = psutil.Process()
            while True:
                for child in here.children():
                    try:
                        memory[0] = max(memory[0], child.memory_info().rss)
                    except psutil.Error:
                        continue
                await asyncio.sleep(0.02)

        began = time.monotonic()
        watching = asyncio.create_task(watch())
        await asyncio.gather(*(worker(f"w{n}") for n in range(at_once)))
        watching.cancel()
        left = [path.name for path in (Path(folder) / "media").glob("*")]
    print(f"{files} files of {len(table)} devices in {time.monotonic() - began:.0f} s, seed {seed}")
    for code, count in found.most_common():
        print(f"{count:6} {code}")
    print(f"largest child {memory[0] / 1e6:.0f} MB, files left behind {len(left)}")
    for fault in faults:
        print("FAULT", fault)
    return 1 if faults or left or memory[0] > MediaLimits().decode_memory else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=3)
    told = parser.parse_args()
    sys.exit(asyncio.run(run(told.files, told.seed, told.at_once)))
