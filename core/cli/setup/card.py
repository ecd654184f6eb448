"""The card that NVIDIA's own tool names: before torch is installed nothing else can tell."""

import shutil
import subprocess
from dataclasses import dataclass

from core.models.catalog import FAMILY, Profile

TIMEOUT_S = 10.0
_ASKED = ("--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
MEBIBYTE = 2**20  # what the tool counts memory in


@dataclass(frozen=True, slots=True)
class GraphicsCard:
    """The first NVIDIA card of this machine."""

    name: str
    memory_bytes: int

    @property
    def profile(self) -> Profile:
        """Return the model files that suit it."""
        return FAMILY.profile_for(self.memory_bytes)


def first_card() -> GraphicsCard | None:
    """Ask ``nvidia-smi``; None where there is none, or it tells nothing."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603  # a fixed list of arguments, no shell
            [program, *_ASKED], capture_output=True, text=True, timeout=TIMEOUT_S, check=True
        )
        name, _, memory = done.stdout.splitlines()[0].rpartition(",")
        return GraphicsCard(name.strip(), int(memory) * MEBIBYTE)
    except (OSError, subprocess.SubprocessError, IndexError, ValueError):
        return None
