"""Put small files of random weights where a graph looks for its own."""

import importlib
import json
from pathlib import Path
from typing import Any

from core.comfy.testing.network_shapes import TINY
from core.comfy.testing.random_weights import (
    RandomWeightsWriter,
    shrink_text_encoder,
)
from core.models.catalog import ModelFamily, ModelFile, Slot
from core.models.safetensors_header import SUFFIX
from core.workflow.model_files import NamedFile

_SLOTS = {
    "checkpoints": Slot.CHECKPOINT,
    "diffusion_models": Slot.CHECKPOINT,  # ComfyUI finds the transformer in it by its prefix
    "latent_upscale_models": Slot.UPSCALER,
    "loras": Slot.DISTILLED_LORA,
    "text_encoders": Slot.TEXT_ENCODER,
}
_CONTROLS = ("ic-lora", "ic_lora", "iclora", "control", "union", "canny", "depth", "pose")


def tiny_stand_ins(files: tuple[NamedFile, ...], models: Path) -> ModelFamily:
    """Write the smallest stand-ins for ``files`` into ``models``, and make the encoder fit them.

    Blocks; in a process with a started ComfyUI.
    """
    shrink_text_encoder()
    _read_any_token()
    torch = importlib.import_module("torch")
    return write_stand_ins(RandomWeightsWriter(torch, TINY), files, models)


def _read_any_token() -> None:
    """Make a text of every token that random weights write, also of those without a piece."""
    tokenizer: Any = importlib.import_module("comfy.text_encoders.spiece_tokenizer").SPieceTokenizer
    original = tokenizer.decode
    if original.__name__ == "decode_any":
        return

    def decode_any(self: Any, token_ids: list[int], **options: Any) -> str:  # noqa: ANN401  # ComfyUI's
        pieces: int = self.tokenizer.get_piece_size()
        return original(self, [token % pieces for token in token_ids], **options)

    tokenizer.decode = decode_any


def write_stand_ins(
    writer: RandomWeightsWriter, files: tuple[NamedFile, ...], models: Path
) -> ModelFamily:
    """Write the family of ``writer``, and ``files`` beside it: links to those of the same use.

    Files of a folder that the model has nothing for are left out; the run tells which it missed.

    Args:
        writer: of the shapes wanted, in a process with a started ComfyUI.
        files: that a graph names.
        models: ComfyUI's models folder.

    Returns:
        The family as written.
    """
    family = writer.family(models)
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
