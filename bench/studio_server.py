"""What the figures of the Studio share: a server in a process of its own, and a command line."""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.app.logs import set_up_logging


@dataclass(frozen=True, slots=True)
class BenchServer:
    """A Studio that is measured."""

    url: str
    process: asyncio.subprocess.Process

    async def tell(self, line: str) -> str:
        """Send a line to the server's standard input and return its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n".encode())
        return (await self.process.stdout.readline()).decode()


@asynccontextmanager
async def server_of(script: str) -> AsyncGenerator[BenchServer]:
    """Run ``script --serve FOLDER`` inside the block; its first line is its address."""
    pipe = asyncio.subprocess.PIPE
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, script, "--serve", folder), stdin=pipe, stdout=pipe
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url = (await process.stdout.readline()).decode().strip()
            yield BenchServer(url, process)
        finally:
            process.stdin.close()
            await process.wait()


def run(
    serve: Callable[[Path], Coroutine[Any, Any, None]],
    measure: Callable[..., Coroutine[Any, Any, dict[str, Any]]],
    show: Callable[[dict[str, Any]], Iterable[str]],
    met: Callable[[dict[str, Any]], bool],
    **counts: int,
) -> int:
    """Run a bench from the command line.

    Args:
        serve: what the process of the server does in a folder, until its standard input ends.
        measure: what is measured; takes ``counts`` by name.
        show: the lines for people.
        met: whether the targets were met.
        counts: options of the command line, with their defaults.

    Returns:
        The exit status: 1 where a target was missed.
    """
    parser = argparse.ArgumentParser()
    for name, usual in counts.items():
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", type=Path)
    options = parser.parse_args()
    set_up_logging("warning")
    if options.serve:
        asyncio.run(serve(options.serve))
        return 0
    found = asyncio.run(measure(**{name: getattr(options, name) for name in counts}))
    for line in [json.dumps(found)] if options.json else show(found):
        print(line)
    return 0 if met(found) else 1
