"""``python -m core.cli.space.lock``: write the lock of a Space anew; ``make space-lock`` calls it.

uv resolves it, since pip judges the conditions of requirements by the Python that runs it, and
the one of a Space is another.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from core.cli.space.requirements import LOCK, PYTHON, held, wanted

_HEAD = f"""\
# Every package of a Space for Python {PYTHON} on Linux x86_64, written by `make space-lock`.
"""


def main() -> None:
    """Resolve, and write the lock."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        wants, pins, found = folder / "wanted.in", folder / "pins.txt", folder / "found.txt"
        wants.write_text("\n".join(wanted()), "utf-8")
        pins.write_text("\n".join(held()), "utf-8")
        options = ("--python-version", PYTHON, "--python-platform", "x86_64-manylinux_2_28",
                   "--only-binary", ":all:", "--no-annotate", "--no-header", "--quiet",
                   "--no-emit-index-url", "--no-emit-find-links")  # fmt: skip
        command = [sys.executable, "-m", "uv", "pip", "compile", str(wants), "-c", str(pins)]
        subprocess.run([*command, *options, "-o", str(found)], check=True)  # noqa: S603  # our own arguments
        LOCK.write_text(_HEAD + found.read_text("utf-8"), "utf-8")


if __name__ == "__main__":
    main()
