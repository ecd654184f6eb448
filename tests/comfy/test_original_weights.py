"""Weights that a LoRA changes, against ComfyUI's own patching of a second copy of the same file."""

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.comfy.original_weights import FileWeight, OriginalWeights
from core.domain.modes import Mode
from core.models.catalog import Profile

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]
CHANGED = "diffusion_model.transformer_blocks.0.attn1.to_q.weight"


@dataclass
class Copies:
    """Two models of one file: the originals of the first are read again, ComfyUI keeps the other's.

    Attributes:
        loras: the values of the distilled and of the control LoRA.
        file: the values of the checkpoint.
    """

    ours: Any
    theirs: Any
    loras: dict[str, Any]
    file: dict[str, Any]

    def patched(self, **strengths: float) -> list[Any]:
        """Return both as patchers with LoRAs, loaded."""
        sd = importlib.import_module("comfy.sd")
        found: list[Any] = []
        for patcher in (self.ours, self.theirs):
            made = patcher.clone()
            for name, strength in strengths.items():
                made, _ = sd.load_lora_for_models(made, None, self.loras[name], strength, 0)
            made.partially_load(made.load_device, 1e32)
            found.append(made)
        return found


def files_of(lab: "Lab") -> dict[str, Path]:
    names = lab.family.names(Profile.FP8)
    return {
        "checkpoint": lab.place.models / "checkpoints" / names.checkpoint,
        "distilled": lab.place.models / "loras" / names.distilled_lora,
        "control": lab.place.models / "loras" / names.control_lora,
    }


def in_eight_bits(source: Path, target: Path) -> Path:
    """Write a checkpoint with the layers of the first block quantised, as ComfyUI stores them."""
    torch = importlib.import_module("torch")
    utils = importlib.import_module("comfy.utils")
    values, metadata = utils.load_torch_file(str(source), return_metadata=True)
    note = torch.tensor(list(json.dumps({"format": "float8_e4m3fn"}).encode()), dtype=torch.uint8)
    layers = [key for key in values if "blocks.0.attn" in key and key.endswith("q.weight")]
    for key in layers:
        layer = key.removesuffix(".weight")
        scale = values[key].abs().max() / 448
        values[key] = (values[key] / scale).to(torch.float8_e4m3fn)
        values[f"{layer}.weight_scale"], values[f"{layer}.comfy_quant"] = scale, note.clone()
    utils.save_torch_file(values, str(target), metadata)
    return target


@pytest.fixture(params=["plain", "eight bits"])
def copies(
    lab: "Lab", request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Copies:
    assert lab.executor.engine is not None
    base = importlib.import_module("comfy.model_base").BaseModel
    patchers = importlib.import_module("comfy.model_patcher").ModelPatcher
    for owner, name in ((base, "load_model_weights"), (patchers, "patch_weight_to_device")):
        monkeypatch.setattr(owner, name, owner.__dict__[name].__wrapped__)  # ComfyUI's own
    files = files_of(lab)
    place = files["checkpoint"]
    if request.param == "eight bits":
        place = in_eight_bits(place, tmp_path / "eight.safetensors")
    sd, utils = importlib.import_module("comfy.sd"), importlib.import_module("comfy.utils")
    torch, management = (importlib.import_module(n) for n in ("torch", "comfy.model_management"))
    loras = {name: utils.load_torch_file(str(files[name])) for name in ("distilled", "control")}

    def load() -> Any:
        found = sd.load_checkpoint_guess_config(
            str(place),
            output_vae=False,
            output_clip=False,
            model_options={"dtype": torch.float32},  # the file's: on CUDA ComfyUI chooses 16 bits
            disable_dynamic=True,
        )[0]
        found.offload_device = found.load_device  # all of it stays there, as with CLAPPER_VRAM=high
        found.model.to(found.load_device)
        for weight in found.model.parameters():  # quantised ones lie in the file itself
            if hasattr(weight, "_qdata"):
                weight._qdata = weight._qdata.clone()
            else:
                weight.data = weight.data.clone()  # as on a device, which has its own memory
        return found

    theirs = load()
    OriginalWeights(management, room=1e18).install(base, patchers)  # none may be kept
    return Copies(load(), theirs, loras, utils.load_torch_file(str(place)))


def values(patcher: Any) -> dict[str, Any]:
    """Return every parameter of the model as numbers."""
    found: dict[str, Any] = {}
    for name, weight in patcher.model.named_parameters():
        found[name] = weight.dequantize() if hasattr(weight, "_qdata") else weight.clone()
    return found


def equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    torch = importlib.import_module("torch")
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


STEPS: list[dict[str, float]] = [
    {"distilled": 0.5},
    {"distilled": 0.8},
    {"distilled": 0.5, "control": 1.0},
    {"control": -0.3},
    {},
    {"distilled": 0.5},
]


def test_every_patch_after_another_gives_the_bytes_of_comfyui(copies: Copies) -> None:
    untouched = values(copies.ours)
    for strengths in STEPS:
        ours, theirs = copies.patched(**strengths)

        assert equal(values(ours), values(theirs)), strengths
        assert equal(values(ours), untouched) is (not strengths)

    ours.unpatch_model(ours.offload_device)
    assert equal(values(ours), untouched)


def test_no_copy_of_a_changed_weight_stays_on_the_device(copies: Copies) -> None:
    ours, theirs = copies.patched(distilled=0.5)

    assert len(ours.backup) == len(theirs.backup) > 10
    assert isinstance(ours.backup[CHANGED], FileWeight)
    for key, entry in ours.backup.items():  # on CUDA some have another type than in the file
        weight = ours.model.get_parameter(key)
        held = getattr(weight, "_qdata", weight)
        same = held.dtype == copies.file[f"model.{key}"].dtype
        assert isinstance(entry, FileWeight) is same, key
    assert not any(isinstance(entry, FileWeight) for entry in theirs.backup.values())


def test_a_weight_that_was_read_again_is_kept_where_there_is_room(
    copies: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    management = importlib.import_module("comfy.model_management")
    first, _ = copies.patched(distilled=0.5)
    assert isinstance(first.backup[CHANGED], FileWeight)

    monkeypatch.setattr(management, "get_free_memory", lambda _: 1e19)
    second, theirs = copies.patched(distilled=0.5, control=1.0)

    assert not isinstance(second.backup[CHANGED], FileWeight)
    assert equal(values(second), values(theirs))


def test_a_weight_of_another_type_than_in_the_file_is_kept_as_comfyui_keeps_it(
    copies: Copies,
) -> None:
    model = copies.ours.model
    holder = model.get_submodule(CHANGED.rpartition(".")[0].replace("to_q", "to_v"))
    holder.weight.data = holder.weight.data.double()
    key = CHANGED.replace("to_q", "to_v")

    ours, _ = copies.patched(distilled=0.5)

    assert not isinstance(ours.backup[key], FileWeight)


async def test_a_clip_leaves_no_copies_and_another_lora_in_between_changes_no_byte(
    lab: "Lab",
) -> None:
    management = importlib.import_module("comfy.model_management")
    first = await lab.run(lab.request(Mode.T2V, seed=61))
    held = [entry.model for entry in management.current_loaded_models]
    patcher = next(entry for entry in held if hasattr(entry.model, "diffusion_model"))
    if patcher.load_device != patcher.offload_device:
        pytest.skip("where weights leave the device, ComfyUI keeps them all in main memory")
    assert patcher.backup
    copies = [entry for entry in patcher.backup.values() if not isinstance(entry, FileWeight)]
    # while there is room, what was read again before is kept: by whichever test ran first
    assert all(entry.weight.device == patcher.load_device for entry in copies)

    await lab.run(lab.request(Mode.STYLE, seed=62))  # another LoRA, in stage 1 alone
    again = await lab.run(lab.request(Mode.T2V, seed=61))

    assert (first.frames == again.frames).all()
