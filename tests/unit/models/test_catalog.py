"""The registry: sizes, slots, schedules and licences hold together."""

import re
from collections import Counter
from dataclasses import fields

import pytest

from core.domain.modes import MODES, Mode
from core.domain.presets import Control
from core.models.catalog import LTX_2_3, ModelNames, Profile, Slot, files_for, names
from core.workflow.library import load

FILES = LTX_2_3.all_files()
WHOLE = {Slot.CHECKPOINT}
PARTS = {Slot.TRANSFORMER, Slot.VIDEO_VAE, Slot.AUDIO_VAE, Slot.TEXT_PROJECTION}
FOLDERS = {
    "checkpoints",
    "diffusion_models",
    "vae",
    "text_encoders",
    "loras",
    "latent_upscale_models",
    "geometry_estimation",
}


def test_the_default_profile_downloads_about_forty_gibibytes() -> None:
    total = sum(file.size_bytes for file in files_for(None, Profile.FP8))

    assert 40.0 < total / 2**30 < 41.0


def test_the_large_profile_downloads_about_seventy_gibibytes() -> None:
    total = sum(file.size_bytes for file in files_for(None, Profile.BF16))

    assert 68 < total / 2**30 < 72


@pytest.mark.parametrize("profile", Profile)
def test_every_profile_has_a_file_for_every_slot(profile: Profile) -> None:
    spec = LTX_2_3.profiles[profile]

    assert {item.name for item in fields(ModelNames)} == {slot.value for slot in Slot}
    assert set(spec.files) == set(Slot) - (PARTS if Slot.CHECKPOINT in spec.files else WHOLE)
    for slot in Slot:
        name = getattr(names(profile), slot)
        assert name.endswith(".safetensors") if slot in spec.files else not name


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("mode", Mode)
def test_a_mode_loads_the_files_that_its_graph_names(mode: Mode, profile: Profile) -> None:
    needed = {file.name for file in files_for(mode, profile)}
    bound = {binding.value for binding in load(mode, None).bindings.values}
    if names(profile).split:
        bound |= PARTS
    bound -= {Slot.DEPTH, Slot.POSE, Slot.PEOPLE}  # of forms that somebody has to ask for

    assert needed == {getattr(names(profile), slot) for slot in Slot if slot in bound} - {""}
    assert set(MODES[mode].models) <= set(Slot)
    assert names(profile).text_encoder in needed
    assert (names(profile).checkpoint or names(profile).transformer) in needed
    assert {names(profile).upscaler, names(profile).distilled_lora} <= needed


def test_only_a_video_is_followed_through_the_control_lora() -> None:
    for mode in Mode:
        needed = {file.name for file in files_for(mode, Profile.FP8)}
        assert (names(Profile.FP8).control_lora in needed) == (mode is Mode.STYLE)


def test_names_are_unique_in_their_folder() -> None:
    assert max(Counter((file.folder, file.name) for file in FILES).values()) == 1


def test_every_file_is_pinned_and_hashed() -> None:
    for file in FILES:
        commit = re.fullmatch(r"[0-9a-f]{40}", file.revision)
        assert file.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", file.sha256), file.name
        assert commit or file.sha256, file.name  # a branch may move, a hash may not
        assert file.folder in FOLDERS


def test_a_file_size_is_known_to_the_byte() -> None:
    sizes = [file.size_bytes for file in FILES]

    assert len(set(sizes)) == len(sizes)
    assert min(sizes) > 10**8


def test_schedules_fall_from_noise_to_nothing() -> None:
    for sigmas, steps in ((LTX_2_3.stage1_sigmas, 8), (LTX_2_3.stage2_sigmas, 3)):
        assert len(sigmas) == steps + 1
        assert list(sigmas) == sorted(sigmas, reverse=True)
        assert sigmas[-1] == 0


def test_only_the_large_profile_may_be_guided_and_only_small_ones_stream() -> None:
    specs = LTX_2_3.profiles.values()

    assert [spec.profile for spec in specs if spec.guided] == [Profile.BF16]
    assert [spec.profile for spec in specs if spec.offload] == [Profile.LOW, Profile.SMALL]


def test_a_renamed_file_leads_to_one_that_exists() -> None:
    known = {file.name for file in FILES}

    assert set(LTX_2_3.renamed.values()) <= known
    assert not LTX_2_3.renamed.keys() & known


def test_the_text_encoder_has_its_own_terms() -> None:
    for profile in Profile:
        by_slot = LTX_2_3.profiles[profile].files
        assert by_slot[Slot.TEXT_ENCODER].licence.key == "gemma"
        others = {slot: file.licence.key for slot, file in by_slot.items()}
        assert others.pop(Slot.DEPTH) == "apache"
        assert {others.pop(Slot.POSE), others.pop(Slot.PEOPLE)} == {"mit"}
        del others[Slot.TEXT_ENCODER]
        assert set(others.values()) == {"ltx2"}


def test_a_restyled_clip_needs_what_sees_its_control_and_nothing_else() -> None:
    def needed(mode: Mode, control: Control | None) -> set[str]:
        files = LTX_2_3.files_for(mode, Profile.FP8, control=control)
        return {file.name for file in files}

    plain = needed(Mode.STYLE, Control.EDGES)
    assert plain == needed(Mode.STYLE, None)
    assert needed(Mode.STYLE, Control.DEPTH) - plain == {names(Profile.FP8).depth}
    pose = {names(Profile.FP8).pose, names(Profile.FP8).people}
    assert needed(Mode.STYLE, Control.POSE) - plain == pose
