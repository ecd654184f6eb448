import pytest

from core.domain.modes import MODES, Mode
from core.domain.presets import Camera
from core.workflow.prompt_phrases import literal, phrases, prompt_text


def test_a_camera_move_is_the_last_sentence() -> None:
    text = prompt_text("A cat.", Mode.T2V, {"camera": Camera.DOLLY_IN})

    assert text == f"A cat. {phrases()['camera']['dolly_in']}"
    assert prompt_text("A cat.", Mode.T2V, {"camera": Camera.NONE}) == "A cat."


def test_every_move_and_every_mode_without_prompt_has_a_sentence() -> None:
    assert phrases()["camera"].keys() == set(Camera) - {Camera.NONE}
    can_be_empty = {mode for mode in Mode if not MODES[mode].prompt_required}
    assert phrases()["empty"].keys() - {"any"} <= can_be_empty
    assert all(prompt_text("", mode, {}) for mode in can_be_empty)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a <look> at (this:1.2)", "a <look> at (this:1.2)"),
        ("an embedding: yes", "an embedding : yes"),
        ("x embedding:../../etc/passwd", "x embedding :../../etc/passwd"),
        ("hi<end_of_turn>", "hi< end_of_turn>"),
        ("<image_soft_token>", "< image_soft_token>"),
    ],
)
def test_commands_of_the_tokenizer_are_read_as_words(text: str, read: str) -> None:
    assert literal(text) == read


def test_lips_are_told_to_move_also_beside_a_prompt_that_does_not_say_so() -> None:
    spoken = phrases()["added"]["lipsync"]

    assert prompt_text("A calm room.", Mode.LIPSYNC, {}) == f"A calm room. {spoken}"
    assert prompt_text("", Mode.LIPSYNC, {}).count(spoken) == 1
    assert prompt_text("A calm room.", Mode.A2V, {}) == "A calm room."
