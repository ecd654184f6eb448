"""What README tells people to type, as it stands there."""

import re
from collections.abc import Iterator
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
PROGRAMS = ("clapper", "make", "git", "pipx", "uv")
_BLOCKS = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(rf"`((?:{'|'.join(PROGRAMS)})\s[^`]+)`")
_COMMENT = re.compile(r"\s+#.*")


def commands(text: str | None = None) -> list[str]:
    """Return every command of the page in its order, each once, without its comment."""
    page = README.read_text("utf-8") if text is None else text
    return list(dict.fromkeys(_all(page)))


def _all(page: str) -> Iterator[str]:
    end = 0
    for block in _BLOCKS.finditer(page):
        yield from _inline(page[end : block.start()])
        for line in block[1].splitlines():
            if typed := _COMMENT.sub("", line).strip():
                yield typed
        end = block.end()
    yield from _inline(page[end:])


def _inline(text: str) -> Iterator[str]:
    """Commands in a sentence, which may go on in the next line."""
    for found in _INLINE.finditer(text):
        yield " ".join(found[1].split())
