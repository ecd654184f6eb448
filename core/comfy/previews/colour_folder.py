"""Keep what was learnt of a decoder's colours, by the files that the decoder is in."""

import hashlib
from pathlib import Path

import structlog
from safetensors import SafetensorError
from safetensors.numpy import load, save

from core.comfy.previews.colour_fit import ColourSums
from core.runtime.atomic_files import write_atomically
from core.runtime.permissions import make_private_folder
from core.workflow.graph import Graph
from core.workflow.model_files import named_files

log = structlog.get_logger(__name__)
_DECODERS = frozenset({"checkpoints", "vae"})  # ComfyUI's folders of files that hold one


def decoder_key(graph: Graph, models: Path) -> str:
    """Return what differs where the decoder of a bound graph may be another one; reads no file.

    Args:
        graph: whose loaders name the files.
        models: ComfyUI's folder of them.
    """
    digest = hashlib.sha256()
    for file in sorted(named_files(graph), key=lambda file: (file.folder, file.name)):
        if file.folder not in _DECODERS:
            continue
        try:
            stat = (models / file.folder / file.name).stat()
            facts = f"{stat.st_size} {stat.st_mtime_ns}"
        except OSError:
            facts = ""
        digest.update(f"{file.folder}/{file.name} {facts}\n".encode())
    return digest.hexdigest()[:32]


class ColourFolder:
    """A file of some hundred kilobytes for each decoder."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``, which is made when something is kept."""
        self._folder = folder

    def read(self, key: str) -> ColourSums | None:
        """Return what is known of a decoder; None where that is nothing, or cannot be read."""
        try:
            held = load(self._path(key).read_bytes())
            return ColourSums(int(held["clips"][0]), held["xx"], held["xy"], held["yy"])
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, KeyError, IndexError):
            log.warning("colours_not_read", exc_info=True)
            return None

    def write(self, key: str, sums: ColourSums) -> None:
        """Keep what is known; what cannot be written is learnt again."""
        try:
            make_private_folder(self._folder)
            write_atomically(self._path(key), save(sums.tensors()))
        except OSError:
            log.warning("colours_not_kept", exc_info=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.safetensors"
