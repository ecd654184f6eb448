"""Scripts of ours that few readers need: they come once somebody does, not with the page.

Their addresses hold a digest of what is in them, so that browsers keep them.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).resolve().parents[1] / "assets"
LAZY = frozenset({"operators"})
_NAME = re.compile(r"/assets/clapper-([a-z]+)-[0-9a-f]{12}\.js")


@cache
def lazy_address(name: str) -> str:
    """Return where the page finds the script called so, relative to it."""
    digest = hashlib.sha256(_content(name)).hexdigest()[:12]
    return f"assets/clapper-{name}-{digest}.js"


def lazy_script(path: str) -> bytes | None:
    """Return the script at ``path``; None where there is none of ours, or not any more."""
    found = _NAME.fullmatch(path)
    if found is None or found[1] not in LAZY or path != f"/{lazy_address(found[1])}":
        return None
    return _content(found[1])


@cache
def _content(name: str) -> bytes:
    return (_FOLDER / f"{name}.js").read_bytes()
