"""Put small files of random weights where a graph looks for its own."""

import asyncio
import importlib
import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.comfy.testing.network_shapes import TINY
from core.comfy.testing.random_weights import RandomWeightsWriter
from core.comfy.testing.seeing_networks import shrink_pose_network
from core.comfy.testing.sentence_pieces import words_of
from core.comfy.testing.small_text_encoder import shrink_text_encoder
from core.domain.progress import ProgressSink
from core.models.catalog import FAMILY, ModelFamily, ModelFile, Slot
from core.models.safetensors_header import SUFFIX
from core.runtime.cancellation import CancelToken
from core.workflow.model_files import NamedFile

_SLOTS = {
    "checkpoints": Slot.CHECKPOINT,
    "diffusion_models": Slot.CHECKPOINT,  # ComfyUI finds the transformer in it by its prefix
    "latent_upscale_models": Slot.UPSCALER,
    "loras": Slot.DISTILLED_LORA,
    "text_encoders": Slot.TEXT_ENCODER,
}
_CONTROLS = ("ic-lora", "ic_lora", "iclora", "control", "union", "canny", "depth", "pose")


@dataclass(frozen=True, slots=True)
class StandInFiles:
    """Answers for a model store: a file is written when it is first wanted."""

    models: Path  # ComfyUI's models folder

    async def ensure(
        self, files: Sequence[ModelFile], on_progress: ProgressSink, cancel: CancelToken
    ) -> tuple[Path, ...]:
        """Write what of ``files`` is not there yet."""
        del on_progress, cancel
        return await asyncio.to_thread(self._written, files)

    def _written(self, files: Sequence[ModelFile]) -> tuple[Path, ...]:
        writer = _tiny()
        slots = {
            item.name: slot
            for spec in FAMILY.profiles.values()
            for slot, item in spec.files.items()
        }
        for file in files:
            if file.name not in slots:  # of no profile: it stays missing
                continue
            writer.write_file(slots[file.name], file, self.models)
            if slots[file.name] is Slot.POSE:
                shrink_pose_network()
        return tuple(self.models / file.folder / file.name for file in files)


def tiny_stand_ins(files: tuple[NamedFile, ...], models: Path) -> ModelFamily:
    """Write the smallest stand-ins for ``files`` into ``models``, and make the encoder fit them.

    Blocks; in a process with a started ComfyUI.
    """
    shrink_text_encoder()
    return write_stand_ins(_tiny(), files, models)


def _tiny() -> RandomWeightsWriter:
    return RandomWeightsWriter(importlib.import_module("torch"), TINY)


@contextmanager
def written_in_words() -> Generator[None]:
    """Make every text that random weights write one of words, which depends on its tokens.

    Their own is no prose, so whatever looks at it takes the prompt as it was typed.
    """
    tokenizer: Any = importlib.import_module("comfy.text_encoders.spiece_tokenizer").SPieceTokenizer
    original = tokenizer.decode

    def decode_words(self: object, token_ids: list[int], **options: object) -> str:
        del self, options
        return words_of(token_ids)

    tokenizer.decode = decode_words
    try:
        yield
    finally:
        tokenizer.decode = original


def write_stand_ins(
    writer: RandomWeightsWriter, files: tuple[NamedFile, ...], models: Path
) -> ModelFamily:
    """Write what of the family of ``writer`` is used as ``files`` are, and links to it as them.

    Files of a folder that the model has nothing for are left out; the run tells which it missed.

    Args:
        writer: of the shapes wanted, in a process with a started ComfyUI.
        files: that a graph names.
        models: ComfyUI's models folder.

    Returns:
        The family; :class:`StandInFiles` writes what else of it a run wants.
    """
    wanted = {_slot(file) for file in files if not _part_of(file)}
    family = writer.family(models, slots=wanted)
    (spec,) = family.profiles.values()
    for file in files:
        place = models / file.folder / file.name
        if place.exists() or place.suffix != SUFFIX:
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        part = _part_of(file)
        if part:
            _write_part(writer, place, part)
        elif _slot(file) in spec.files:
            place.symlink_to(_written(models, spec.files[_slot(file)]))
    return family


def _slot(file: NamedFile) -> Slot:
    if file.folder == "loras" and any(word in file.name.lower() for word in _CONTROLS):
        return Slot.CONTROL_LORA
    return _SLOTS.get(file.folder, Slot.CHECKPOINT)


def _part_of(file: NamedFile) -> Slot | None:
    """Return the part of a checkpoint that ``file`` holds alone; None where it is another file."""
    name = file.name.lower()
    if file.folder == "vae":
        return Slot.AUDIO_VAE if "audio" in name else Slot.VIDEO_VAE
    projects = file.folder == "text_encoders" and ("proj" in name or "connector" in name)
    return Slot.TEXT_PROJECTION if projects else None


def _write_part(writer: RandomWeightsWriter, place: Path, part: Slot) -> None:
    config = {"config": json.dumps(writer.shapes.config)}
    writer.write(place, list(writer.part(part)), config)


def _written(models: Path, file: ModelFile) -> Path:
    return (models / file.folder / file.name).absolute()
