"""What a language model may make of a prompt, and what is thrown away."""

from string import ascii_lowercase

import pytest

from core.workflow.enhanced_prompt import LONGEST, enhanced, shortened

GOOD = (
    "Style: cinematic, a red fox is running through deep snow at dawn as its paws throw up powder. "
    "The wind hums softly while the fox turns its head and pants."
)


@pytest.mark.parametrize(
    "generated",
    [
        "",
        "   \n ",
        "fox fox fox fox fox fox fox fox fox fox",
        "▁▁ ## 12 33 99 {} [] <> ;; 8",
        "a fox",
        "I'm sorry, but I cannot help with that request at all.",
        "As an AI language model I do not make videos of foxes in snow.",
        "<start_of_turn>user a fox runs through the deep snow at dawn<end_of_turn>",
        '{"prompt": "a fox runs through the deep snow at dawn"}',
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb c d e f",
        "the � fox runs through the deep snow at dawn quietly",
    ],
)
def test_nothing_and_rubbish_are_thrown_away(generated: str) -> None:
    assert enhanced(generated, "a fox runs") is None


def test_a_text_that_keeps_every_word_is_taken_as_it_is() -> None:
    assert enhanced(GOOD, "red fox running, snow") == GOOD


@pytest.mark.parametrize(
    "typed",
    ["Ein Fuchs läuft durch Schnee", "a fox named Ada", 'He says "Good morning, Berlin!"', "лиса"],
)
def test_words_that_the_model_left_out_come_first(typed: str) -> None:
    found = enhanced(GOOD, typed)

    assert found is not None
    assert found.startswith(typed)
    assert found.endswith(GOOD)


def test_quoted_speech_is_kept_to_the_letter() -> None:
    changed = GOOD + ' A man says "good morning to Berlin" in a low voice.'

    found = enhanced(changed, 'a man says "Good morning, Berlin!" to the fox')

    assert found is not None
    assert '"Good morning, Berlin!"' in found


@pytest.mark.parametrize(
    "wrapped",
    [
        f"```\n{GOOD}\n```", f"**Enhanced prompt:** {GOOD}", f"Prompt: {GOOD}", f'"{GOOD}"',
        f"# {GOOD}", f"Output:\n\n{GOOD}",
    ],
)  # fmt: skip
def test_what_models_put_around_an_answer_is_taken_off(wrapped: str) -> None:
    assert enhanced(wrapped, "red fox") == GOOD


def test_it_ends_with_a_sentence_within_two_hundred_words() -> None:
    letters = ascii_lowercase
    words = [f"{one}o{two}e" for one in letters for two in letters]
    sentences = [f"The {' '.join(words[n : n + 9])} runs." for n in range(0, 540, 9)]
    found = enhanced(" ".join(sentences), "fox")

    assert found is not None
    assert LONGEST - 15 < len(found.split()) <= LONGEST
    assert found.endswith(".")


def test_a_long_prompt_is_left_to_its_author() -> None:
    assert enhanced(GOOD, "word " * LONGEST) is None


@pytest.mark.parametrize("words", [1, 150, 199])
def test_the_words_that_were_typed_are_never_cut(words: int) -> None:
    typed = " ".join(f"w{n}" for n in range(words))
    found = enhanced(" ".join([GOOD, GOOD.replace("fox", "owl"), GOOD.replace("snow", "sand")] * 3),
                     typed)  # fmt: skip

    assert found is not None
    assert found.startswith(typed)
    assert len(found.split()) <= LONGEST


def test_one_endless_sentence_is_cut_at_the_limit() -> None:
    assert len(shortened("and then " * 400).split()) == LONGEST
