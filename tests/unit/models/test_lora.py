"""A LoRA of another base is told by its name, its metadata or its tensors."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.models.catalog import LTX_2_3, Slot
from core.models.errors import LoraRefused, ModelFileRefused
from core.models.lora import check_lora, refuse_other_base, refuse_other_base_by_name

LTX_KEY = "diffusion_model.transformer_blocks.0.attn1.to_q.lora_A.weight"


@pytest.fixture
def lora(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, key: str = LTX_KEY, **metadata: str) -> Path:
        path = tmp_path / name
        save_file({key: np.zeros((2, 8), np.float32)}, path, metadata)
        return path

    return write


@pytest.mark.parametrize("slot", [Slot.DISTILLED_LORA, Slot.CONTROL_LORA])
def test_the_family_accepts_its_own(slot: Slot) -> None:
    for spec in LTX_2_3.profiles.values():
        refuse_other_base_by_name(spec.files[slot].name)


def test_a_lora_of_the_smaller_model_is_refused_with_both_names() -> None:
    with pytest.raises(LoraRefused) as caught:
        refuse_other_base_by_name("ltx-2-19b-lora-camera-control-static.safetensors")

    assert (caught.value.found, caught.value.base) == ("ltx-2-19b", "ltx-2.3-22b")


def test_a_pickled_lora_is_refused_by_name() -> None:
    with pytest.raises(ModelFileRefused):
        refuse_other_base_by_name("style.pt")


def test_metadata_tells_what_the_name_hides(lora: Callable[..., Path]) -> None:
    with pytest.raises(LoraRefused) as caught:
        refuse_other_base(lora("style.safetensors", base_model="Lightricks/LTX-2-19b"))

    assert caught.value.found == "ltx-2-19b"


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("diffusion_model.double_blocks.0.img_attn.lora_A.weight", "flux"),
        ("diffusion_model.blocks.3.self_attn.q.lora_A.weight", "wan"),
        ("lora_unet_down_blocks_0.lora_down.weight", "sd"),
        ("something.else.weight", "unknown"),
    ],
)
def test_tensors_tell_what_name_and_metadata_hide(
    lora: Callable[..., Path], key: str, found: str
) -> None:
    with pytest.raises(LoraRefused) as caught:
        refuse_other_base(lora("style.safetensors", key))

    assert caught.value.found == found


def test_an_unnamed_lora_with_fitting_tensors_is_taken(lora: Callable[..., Path]) -> None:
    header = refuse_other_base(lora("style.safetensors", reference_downscale_factor="2"))

    assert header.metadata["reference_downscale_factor"] == "2"


def test_the_header_counts_more_than_the_name(lora: Callable[..., Path]) -> None:
    metadata = {"modelspec.architecture": "ltx-2-19b/lora"}

    with pytest.raises(LoraRefused) as caught:
        refuse_other_base(lora("ltx-2.3-look.safetensors", **metadata))

    assert caught.value.found == "ltx-2-19b"


def test_a_lora_that_is_here_is_judged_by_its_header(lora: Callable[..., Path]) -> None:
    path = lora("style.safetensors", "lora_unet_down_blocks_0.lora_down.weight")

    with pytest.raises(LoraRefused) as caught:
        check_lora("style.safetensors", path.parent)

    assert caught.value.found == "sd"


@pytest.mark.parametrize(
    "name", ["../style.safetensors", "absent.safetensors", "my\\style.safetensors"]
)
def test_a_lora_that_is_not_here_is_judged_by_its_name(
    lora: Callable[..., Path], name: str
) -> None:
    outside = lora("style.safetensors", "lora_unet_down_blocks_0.lora_down.weight")

    check_lora(name, outside.parent / "loras")
    check_lora(name, None)
    with pytest.raises(LoraRefused):
        check_lora("ltx-2-19b-" + name.rpartition("/")[2].rpartition("\\")[2], None)
