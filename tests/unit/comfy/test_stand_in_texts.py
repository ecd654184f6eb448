"""What random weights write reads like a text, so that what uses it is tried."""

from core.comfy.testing.sentence_pieces import words_of
from core.workflow.enhanced_prompt import enhanced


def test_any_tokens_are_prose_that_a_prompt_is_lengthened_by() -> None:
    for tokens in ([7] * 16, list(range(16)), [399, 0] * 8):
        assert enhanced(words_of(tokens), "a red boat") is not None


def test_other_tokens_are_another_text() -> None:
    assert words_of([1] * 16) != words_of([2] * 16)
