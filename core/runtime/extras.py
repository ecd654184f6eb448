"""What installs the libraries of an extra beside a Clapper that runs, whatever installed that."""

import shlex
import sys
from importlib.metadata import PackageNotFoundError, distribution

from core.runtime.program_files import PROJECT_ROOT

# the packages of each extra of pyproject.toml that an operator may be asked for; nothing else of
# ours brings the first one
EXTRAS = {
    "cluster": ("procrastinate", "psycopg[binary,pool]", "obstore"),
    "mcp": ("mcp",),
    "c2pa": ("c2pa-python",),
}


def install_extra(extra: str) -> str:
    """Return the command, to be typed as it stands, in the versions that were tested."""
    pinned = ("--constraint", str(PROJECT_ROOT / "constraints.txt"))
    return shlex.join([sys.executable, "-m", "pip", "install", *pinned, *EXTRAS[extra]])


def extras_here() -> list[str]:
    """Return the extras that are installed, by their first package."""
    return [extra for extra, (own, *_) in EXTRAS.items() if _is_here(own)]


def _is_here(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True
