"""The name of a file tells for which model it was made."""

import pytest

from core.models.bases import base_by_name, file_name


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("ltx-2-19b-lora-camera-control-dolly-in.safetensors", "ltx-2-19b"),
        ("ltx-2-19b-ic-lora-detailer.safetensors", "ltx-2-19b"),
        ("LTX/ltx-2-spatial-thing.safetensors", "ltx-2-19b"),
        ("ltx-2.3-22b-ic-lora-union-control-ref0.5.safetensors", "ltx-2.3-22b"),
        ("ltx2.3-transition.safetensors", "ltx-2.3-22b"),
        ("LTX2.3-22B_IC-LoRA-Cameraman_v1.safetensors", "ltx-2.3-22b"),
        ("ltx-2.5-22b-ic-lora-ingredients-0.9.safetensors", "ltx-2.5"),
        ("wan2.2_i2v_lightx2v_4steps.safetensors", "wan"),
        ("RealSkin_SDXL_v1.safetensors", "sdxl"),
        ("my_own_style.safetensors", None),
        ("folder/ltx-2-19b-ic-lora-detailer.safetensors", "ltx-2-19b"),
        ("ltx23_look.safetensors", "ltx-2.3-22b"),
        ("ltxv-097-squish.safetensors", "ltx-video"),
        ("Wan2.2_T2V_boost.safetensors", "wan"),
        ("anime_ltx19b.safetensors", "ltx-2-19b"),
        ("ltx-2.4-look.safetensors", "ltx-2.4"),
        ("ltx-2.0-look.safetensors", "ltx-2-19b"),
        ("my_ltx_2_0_look.safetensors", "ltx-2-19b"),
        ("ltx-2-3d-look.safetensors", "ltx-2-19b"),
        ("ltx-2.3-style-v19.safetensors", "ltx-2.3-22b"),
        ("ltx-2.5-22b-dev-transformer.safetensors", "ltx-2.5"),
        ("LTX_2.6_dev.safetensors", "ltx-2.6 or later"),
        ("ltx-3-40b.safetensors", "ltx-2.6 or later"),
        ("LTX3.1.safetensors", "ltx-2.6 or later"),
        ("ltx-2-8-steps-distilled.safetensors", "ltx-2-19b"),
        ("hunyuan_video_t2v_720p_bf16.safetensors", "hunyuan"),
        ("swan_lake.safetensors", None),
        ("swan2-ltx.safetensors", None),
    ],
)
def test_names_tell_the_base(name: str, base: str | None) -> None:
    assert base_by_name(name) == base


@pytest.mark.parametrize(
    "name", ["a/b/look.safetensors", "a\\b\\look.safetensors", "look.safetensors"]
)
def test_a_file_is_named_by_its_last_part(name: str) -> None:
    assert file_name(name) == "look.safetensors"
