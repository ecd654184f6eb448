"""Random weights in the shape of the model's files, tiny or full size, for tests and benchmarks.

The shapes come from ComfyUI's own classes, so a stand-in is loaded, detected and run by exactly the
code that runs the published files. Values are scaled by fan-in: a clip of noise, but one in which
every input still makes a difference. Needs a started ComfyUI.
"""

import importlib
import json
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from core.comfy.testing.network_shapes import NetworkShapes
from core.comfy.testing.quantised import FP4, FP8, INT8, Quantisation, quantised
from core.comfy.testing.seeing_networks import USUAL, seeing_entries
from core.comfy.testing.sentence_pieces import sentence_pieces
from core.comfy.testing.small_text_encoder import text_config
from core.comfy.testing.tensor_specs import (
    LARGEST_F8,
    SPREAD_F8,
    TensorSpec,
    entries_of,
    scale_of,
)
from core.models.catalog import FAMILY, ModelFamily, ModelFile, Profile, Slot

_VALUE_BYTES = {"F32": 4, "BF16": 2, "F8_E4M3": 1, "I8": 1, "U8": 1}
# how the names of the tensors of each part begin in a checkpoint
_PARTS = {
    Slot.TRANSFORMER: ("model.diffusion_model.",),
    Slot.VIDEO_VAE: ("vae.",),
    Slot.AUDIO_VAE: ("audio_vae.", "vocoder."),
    Slot.TEXT_PROJECTION: ("text_embedding_projection.",),
}


@dataclass(frozen=True, slots=True)
class RandomWeightsWriter:
    """Writes stand-ins with ``shapes`` as values of ``dtype``, drawn on ``device``."""

    torch: ModuleType
    shapes: NetworkShapes
    dtype: str = "F32"  # or BF16
    device: str = "cpu"
    profiles: tuple[Profile, ...] = (Profile.FP8,)
    quantised: bool = False  # large matrices in 8 and 4 bits, as the published files have them

    def family(
        self,
        folder: Path,
        elsewhere: Mapping[Slot, Path] | None = None,
        slots: Collection[Slot] = USUAL,
    ) -> ModelFamily:
        """Write files once and return the family with these in place of its own.

        Args:
            folder: ComfyUI's models folder.
            elsewhere: other folders for single files, which are then linked from ``folder``.
            slots: whose files are written; :meth:`write_file` writes others later.

        Returns:
            The family with the profiles of :attr:`profiles`, no hashes, and the sizes as written.
        """
        profiles = {
            profile: replace(
                spec,
                files={
                    slot: self.write_file(slot, file, folder, elsewhere)
                    if slot in slots
                    else replace(file, sha256=None)
                    for slot, file in spec.files.items()
                },
            )
            for profile, spec in FAMILY.profiles.items()
            if profile in self.profiles
        }
        last = self.shapes.config["transformer"]["num_layers"] - 1
        blocks = tuple(min(block, last) for block in FAMILY.guidance.perturbed_blocks)
        guidance = replace(FAMILY.guidance, perturbed_blocks=blocks)
        return replace(FAMILY, profiles=profiles, guidance=guidance)

    def write_file(
        self,
        slot: Slot,
        file: ModelFile,
        folder: Path,
        elsewhere: Mapping[Slot, Path] | None = None,
    ) -> ModelFile:
        """Write the stand-in for ``file`` where it is not there yet, and return it as written."""
        place = folder / file.folder / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        target = elsewhere[slot] / file.name if elsewhere and slot in elsewhere else place
        if not target.exists():
            entries, metadata = self._content(slot)
            self.write(target, entries, metadata)
        if target != place and not place.exists():
            place.symlink_to(target)
        return replace(file, size_bytes=target.stat().st_size, sha256=None)

    def _content(self, slot: Slot) -> tuple[list[TensorSpec], dict[str, str]]:
        config = {"config": json.dumps(self.shapes.config)}
        if slot in _PARTS:
            return list(self.part(slot)), config
        match slot:
            case Slot.CHECKPOINT:
                return list(self.checkpoint()), config
            case Slot.TEXT_ENCODER:
                return list(self._text_encoder()), {}
            case Slot.UPSCALER:
                flat = json.dumps(self.shapes.upscaler)
                return list(self._upscaler(self.shapes.upscaler)), {"config": flat}
            case Slot.TEMPORAL_UPSCALER:
                shape = {**self.shapes.upscaler, "spatial_upsample": False}
                shape["temporal_upsample"] = True
                return list(self._upscaler(shape)), {"config": json.dumps(shape)}
            case Slot.DISTILLED_LORA:
                return list(self._lora("transformer_blocks.")), {}
            case Slot.CONTROL_LORA:
                return list(self._lora("transformer_blocks.0.")), {
                    "reference_downscale_factor": "2"
                }
            case _:
                return seeing_entries(self.torch, slot), {}

    def write(self, path: Path, entries: list[TensorSpec], metadata: dict[str, str]) -> None:
        """Write a safetensors file, tensor by tensor: never more than one is in memory."""
        header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
        end = 0
        for entry in entries:
            kind = entry.dtype or ("U8" if entry.data is not None else self.dtype)
            begin, end = end, end + entry.count * _VALUE_BYTES[kind]
            header[entry.name] = {
                "dtype": kind, "shape": list(entry.shape), "data_offsets": [begin, end],
            }  # fmt: skip
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for entry in entries:
                file.write(self.values(entry) if entry.data is None else entry.data)
        part.replace(path)

    def values(self, entry: TensorSpec) -> memoryview:
        """Return the bytes of ``entry``: always the same for the same name, shape and device."""
        torch = self.torch
        seed = zlib.crc32((entry.drawn_as or entry.name).encode())
        generator = torch.Generator(self.device).manual_seed(seed)
        if entry.dtype in {"I8", "U8"}:
            whole = torch.empty(entry.shape, dtype=torch.uint8, device=self.device)
            return _bytes_of(torch, whole.random_(0, 256, generator=generator))
        eighth = entry.dtype == "F8_E4M3"
        dtype = torch.float32 if self.dtype == "F32" else torch.bfloat16
        middle, spread = (0.0, SPREAD_F8) if eighth else scale_of(entry)
        values = torch.empty(entry.shape, dtype=dtype, device=self.device)
        values.normal_(middle, spread, generator=generator)
        if eighth:
            values = values.clamp_(-LARGEST_F8, LARGEST_F8).to(torch.float8_e4m3fn)
        return _bytes_of(torch, values)

    def decoders(self) -> Iterator[TensorSpec]:
        """Yield the tensors of both VAEs and the vocoder, as a checkpoint holds them."""
        lightricks, config = "comfy.ldm.lightricks.", self.shapes.config
        with self.torch.device("meta"):
            video = importlib.import_module(lightricks + "vae.causal_video_autoencoder").VideoVAE(
                config=config["vae"]
            )
            audio = importlib.import_module(lightricks + "vae.audio_vae").AudioVAE(
                {"config": config}
            )
        yield from entries_of(video, "vae.")
        yield from entries_of(audio.autoencoder, "audio_vae.")
        yield from entries_of(audio.vocoder, "vocoder.")

    def checkpoint(self, way: Quantisation = FP8) -> Iterator[TensorSpec]:
        """Yield the tensors of a whole checkpoint; ``way`` counts where they are quantised."""
        module = importlib.import_module("comfy.ldm.lightricks.av_model")
        ops = importlib.import_module("comfy.ops").disable_weight_init
        with self.torch.device("meta"):
            transformer = module.LTXAVModel(
                **self.shapes.config["transformer"], dtype=self.torch.float32, operations=ops
            )
        entries = entries_of(transformer, "model.diffusion_model.")
        yield from quantised(entries, way) if self.quantised else entries
        yield from self.decoders()
        width = self.shapes.text_width * 49  # 48 layers and the embedding
        for name, size in (("audio", self.shapes.audio_width), ("video", self.shapes.video_width)):
            prefix = f"text_embedding_projection.{name}_aggregate_embed."
            yield TensorSpec(prefix + "weight", (size, width))
            yield TensorSpec(prefix + "bias", (size,))

    def part(self, slot: Slot) -> Iterator[TensorSpec]:
        """Yield the tensors of one part of the checkpoint, as a file of its own holds them."""
        beginnings = _PARTS[slot]
        for entry in self.checkpoint(INT8):
            if not entry.name.startswith(beginnings):
                continue
            bare = slot in {Slot.TRANSFORMER, Slot.VIDEO_VAE}
            name = entry.name.removeprefix(beginnings[0]) if bare else entry.name
            yield replace(entry, name=name, drawn_as=entry.name)

    def _text_encoder(self) -> Iterator[TensorSpec]:
        llama = importlib.import_module("comfy.text_encoders.llama")
        ops = importlib.import_module("comfy.ops").disable_weight_init
        usual = llama.Gemma3_12B_Config
        vars(llama)["Gemma3_12B_Config"] = text_config(llama, self.shapes)
        try:  # with what sees pictures: values that no file gives are whatever lay in memory
            model = llama.Gemma3_12B({}, self.torch.float32, "meta", ops)
        finally:
            vars(llama)["Gemma3_12B_Config"] = usual
        entries = entries_of(model, "")
        yield from quantised(entries, FP4) if self.quantised else entries
        pieces = sentence_pieces()
        yield TensorSpec("spiece_model", (len(pieces),), pieces)

    def _upscaler(self, shape: dict[str, Any]) -> Iterator[TensorSpec]:
        module = importlib.import_module("comfy.ldm.lightricks.latent_upsampler")
        with self.torch.device("meta"):
            yield from entries_of(module.LatentUpsampler.from_config(shape), "")

    def _lora(self, below: str) -> Iterator[TensorSpec]:
        """Yield a low-rank change of every linear layer whose name begins with ``below``."""
        prefix = "model.diffusion_model."
        for entry in self.checkpoint():
            name = entry.name.removeprefix(prefix)
            if name == entry.name or len(entry.shape) != 2 or not name.startswith(below):
                continue
            if not name.endswith(".weight"):
                continue
            layer, (rows, columns) = name.removesuffix(".weight"), entry.shape
            rank = min(self.shapes.lora_rank, rows, columns)
            yield TensorSpec(f"diffusion_model.{layer}.lora_A.weight", (rank, columns))
            yield TensorSpec(f"diffusion_model.{layer}.lora_B.weight", (rows, rank))


def _bytes_of(torch: ModuleType, values: Any) -> memoryview:  # noqa: ANN401  # a tensor of torch
    return memoryview(values.reshape(-1).view(torch.uint8).cpu().numpy())
