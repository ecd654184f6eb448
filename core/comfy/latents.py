"""Latents of stage 1, kept between a draft and its quality pass.

A file is found by what was asked and used only if the graph that made it is the one that would
make it again: same nodes, values, model files and ComfyUI. Losing one costs time, nothing else.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from safetensors import SafetensorError
from safetensors.numpy import load, save

from core.comfy.install.pins import load_pins
from core.runtime.atomic_files import write_atomically
from core.runtime.permissions import make_private_folder
from core.workflow.bindings import Condition
from core.workflow.graph import Graph

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.workflow.library import Workflow

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Latents:
    """Picture and sound after stage 1, as the sampler left them, without guide frames."""

    video: "NDArray[np.float32]"  # [1, channels, frames, height, width]
    audio: "NDArray[np.float32]"


class LatentFolder:
    """The folder of kept latents; housekeeping removes old ones."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``, which is made when something is kept."""
        self._folder = folder

    def keep(self, name: str, proof: str, latents: Latents) -> None:
        """Write ``latents``; what cannot be written is not kept, and nobody is told."""
        try:
            make_private_folder(self._folder)
            content = save({"video": latents.video, "audio": latents.audio})
            write_atomically(self._path(name, proof), content)
        except OSError:
            log.warning("latents_not_kept", exc_info=True)

    def find(self, name: str, proof: str) -> Latents | None:
        """Read what the same graph kept under ``name``; None where it is gone. The file stays."""
        try:
            tensors = load(self._path(name, proof).read_bytes())
            return Latents(tensors["video"], tensors["audio"])
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, KeyError):
            log.warning("latents_not_read", exc_info=True)
            return None

    def _path(self, name: str, proof: str) -> Path:
        return self._folder / f"{name}-{proof[:16]}.safetensors"


def continued_at(workflow: "Workflow") -> str | None:
    """Return the node that kept latents replace; None where the graph has none."""
    forms = (form for form in workflow.bindings.forms if form.when is Condition.CONTINUED)
    return next((form.node for form in forms), None)


def proof_of(graph: Graph, node: str, *, fast: bool = False) -> str:
    """Return a hash of everything that decides what ``node`` of a bound graph gives.

    Args:
        graph: bound.
        node: its last one that counts.
        fast: whether it is computed in the ways that change values.
    """
    needed = graph.pruned(node).to_prompt()
    for entry in needed.values():
        del entry["_meta"]
    made_by = [load_pins().version, needed, *(["fast"] if fast else [])]
    return hashlib.sha256(json.dumps(made_by, sort_keys=True).encode()).hexdigest()
