"""A place like a fresh machine: a home and an environment of its own, and nothing else of ours."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# what package installers must know of this machine; all else of the environment stays away
_OF_INSTALLERS = ("PIP_", "UV_", "SSL_CERT_", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY",
                  "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")  # fmt: skip
_NOT_PASSED = ("PIP_TARGET", "PIP_USER", "PIP_PREFIX", "UV_PROJECT_ENVIRONMENT")
_LOOPBACK = 'ip link set lo up && exec "$@"'

Done = subprocess.CompletedProcess[str]


def base_python() -> str:
    """Return the interpreter that the environment of these tests was made from."""
    return str(getattr(sys, "_base_executable", sys.executable))


@dataclass(frozen=True)
class Place:
    """A folder with a home, tools and whatever is cloned there."""

    folder: Path
    python: str  # the interpreter that people find as python3
    programs: dict[str, Path] = field(default_factory=dict)  # links in front of the system's own

    def __post_init__(self) -> None:
        for each in (self.home, self.tools):
            each.mkdir(parents=True)
        found = shutil.which(self.python)
        if found is None:
            raise FileNotFoundError(self.python)
        self.programs["python3"] = Path(_real(found))
        for name, target in self.programs.items():
            (self.tools / name).symlink_to(target)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def tools(self) -> Path:
        return self.folder / "tools"

    @property
    def checkout(self) -> Path:
        return self.folder / "clapper"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of every command: nothing but where programs and packages are."""
        passed = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(_OF_INSTALLERS) and name not in _NOT_PASSED
        }
        places = (self.checkout / ".venv/bin", self.home / ".local/bin", self.tools)
        return {
            # a home of one's own would hide what is downloaded already
            "PIP_CACHE_DIR": str(_cache("pip")),
            "UV_CACHE_DIR": str(_cache("uv")),
            **passed,
            "HOME": str(self.home),
            "PATH": os.pathsep.join([*map(str, places), "/usr/bin", "/bin"]),
        }

    def run(
        self, command: str, *, cwd: Path | None = None, network: bool = True, **more: str
    ) -> Done:
        """Run a line of a shell here and return what came of it; without network where asked."""
        return subprocess.run(
            self.words(command, network=network), cwd=cwd or self.checkout, check=False, text=True,
            env=self.environment | more, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def words(self, command: str, *, network: bool) -> list[str]:
        """Return what starts a line of a shell."""
        cut_off = [] if network else self.without_network
        return [*cut_off, "/bin/sh", "-c", command]

    @cached_property
    def without_network(self) -> list[str]:
        """What starts a program that can reach this machine alone; empty where nothing can."""
        for rights in ([], ["--map-root-user"]):
            alone = ["unshare", *rights, "--net", "--", "/bin/sh", "-c", _LOOPBACK, "sh"]
            if _works([*alone, "true"]):
                return alone
        return []

    def beside(self, process: int) -> list[str]:
        """Return what starts a program in the network of a ``process`` that has none of ours."""
        if not self.without_network:
            return []
        rights = ["--user", "--preserve-credentials"]
        mapped = "--map-root-user" in self.without_network
        return ["nsenter", f"--target={process}", *(rights if mapped else []), "--net", "--"]


def _works(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _real(python: str) -> str:
    """Return the interpreter itself: what is called ``python3`` may be a script that chooses."""
    code = "import sys; print(getattr(sys, '_base_executable', sys.executable))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _cache(installer: str) -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / installer
