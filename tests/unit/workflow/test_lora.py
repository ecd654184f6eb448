import pytest

from core.models.catalog import LTX_2_3, Slot
from core.workflow.errors import LoraOfAnotherBase
from core.workflow.lora import base_of, require_base


@pytest.mark.parametrize(
    ("file", "base"),
    [
        ("ltx-2-19b-lora-camera-control-dolly-in.safetensors", "LTX-2.0 (19B)"),
        ("folder/ltx-2-19b-ic-lora-detailer.safetensors", "LTX-2.0 (19B)"),
        ("LTX2.3-transition.safetensors", "LTX-2.3"),
        ("ltx23_look.safetensors", "LTX-2.3"),
        ("ltx-2.5-distilled.safetensors", "LTX-2.5"),
        ("ltxv-097-squish.safetensors", "LTX-Video 0.9"),
        ("Wan2.2_T2V_boost.safetensors", "Wan"),
        ("swan_lake.safetensors", None),
        ("my_style.safetensors", None),
    ],
)
def test_the_base_is_told_from_the_name(file: str, base: str | None) -> None:
    assert base_of(file) == base


def test_the_header_counts_more_than_the_name() -> None:
    metadata = {"modelspec.architecture": "ltx-2-19b/lora"}

    assert base_of("ltx-2.3-look.safetensors", metadata) == "LTX-2.0 (19B)"


def test_a_lora_of_another_base_is_refused_by_name() -> None:
    with pytest.raises(LoraOfAnotherBase) as caught:
        require_base("ltx-2-19b-lora-camera-control-jib-up.safetensors")

    assert caught.value.file == "ltx-2-19b-lora-camera-control-jib-up.safetensors"
    assert caught.value.wanted == "LTX-2.3"


def test_our_own_loras_and_unknown_ones_pass() -> None:
    for spec in LTX_2_3.profiles.values():
        require_base(spec.files[Slot.DISTILLED_LORA].name)
        require_base(spec.files[Slot.CONTROL_LORA].name)
    require_base("my_style.safetensors")
