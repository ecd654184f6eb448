import json
import time
from dataclasses import replace

import pytest

from core.domain.modes import Mode
from core.domain.people import Asker
from core.domain.policy import Policy
from core.domain.presets import Preset
from core.domain.requests import Request, Sampling
from core.domain.word_rules import forbidden
from core.errors import NotAChoice, NotANumber, OutOfRange, PolicyForbids

REQUEST = Request(Mode.T2V, "A red fox runs.", Sampling(Preset.FAST, 768, 512, 121, 24, 1))
HERE = Asker(channel="10", roles=frozenset({"7"}))


def test_no_rules_allow_everything() -> None:
    Policy().check(REQUEST, Asker())


@pytest.mark.parametrize(
    ("policy", "rule"),
    [
        (Policy(channels=("11",)), "rule_channel"),
        (Policy(roles=("8",)), "rule_role"),
        (Policy(modes=("i2v",)), "rule_mode"),
        (Policy(max_seconds=3), "rule_seconds"),
        (Policy(max_pixels=100_000), "rule_pixels"),
        (Policy(words=("FOX",)), "rule_words"),
    ],
)
def test_each_rule_refuses_by_its_name(policy: Policy, rule: str) -> None:
    with pytest.raises(PolicyForbids) as caught:
        policy.check(REQUEST, HERE)

    assert caught.value.rule == rule


def test_words_that_adults_may_read_are_allowed_where_only_adults_are() -> None:
    policy = Policy(words=("blood",), nsfw_words=("fox",))

    with pytest.raises(PolicyForbids) as caught:
        policy.check(REQUEST, HERE)
    assert caught.value.rule == "rule_nsfw_words"
    policy.check(REQUEST, replace(HERE, age_gated=True))
    with pytest.raises(PolicyForbids):
        policy.check(replace(REQUEST, prompt="blood"), replace(HERE, age_gated=True))


def test_a_rule_that_nobody_can_read_any_more_lets_nothing_through() -> None:
    """To take it for none would let in whom an operator kept out."""
    stored = {"roles": {"of": "another version"}, "max_seconds": 60.0}

    with pytest.raises(PolicyForbids) as caught:
        Policy.from_json(stored).check(REQUEST, HERE)

    assert (caught.value.rule, caught.value.detail) == ("rule_unreadable", "roles")
    Policy.from_json(stored).changed("roles", "").check(REQUEST, HERE)


def test_words_match_whole_words_only() -> None:
    Policy(words=("ox", "run", "re")).check(REQUEST, HERE)


def test_a_length_snapped_up_to_whole_frames_is_still_allowed() -> None:
    Policy(max_seconds=5).check(REQUEST, HERE)  # 121 frames play 5.04 s


def test_rules_are_set_from_typed_text_and_cleared_by_nothing() -> None:
    policy = Policy().changed("channels", "1, 2 3").changed("max_seconds", "8")

    assert policy == Policy(channels=("1", "2", "3"), max_seconds=8)
    assert policy.changed("channels", "").changed("max_seconds", "none") == Policy()


@pytest.mark.parametrize(
    ("rule", "typed", "value"),
    [
        ("max_pixels", "0.9", 900_000),
        ("max_pixels", "0,9 Mpx", 900_000),
        ("max_pixels", "921600", 921_600),
        ("max_seconds", "5,5", 5.5),
        ("max_seconds", "8 s", 8.0),
        ("words", "Red Room, blood", ("red room", "blood")),
        ("words", "“taylor swift”; gore", ("taylor swift", "gore")),
    ],
)
def test_rules_are_read_as_people_write_them(rule: str, typed: str, value: object) -> None:
    assert getattr(Policy().changed(rule, typed), rule) == value


def test_words_are_looked_for_in_everything_that_was_written() -> None:
    asked = Request(
        Mode.T2V,
        "A red fox runs.",
        Sampling(Preset.FAST, 768, 512, 121, 24, 1, negative_prompt="b l o o d"),
    )

    with pytest.raises(PolicyForbids):
        Policy(words=("blood",)).check(asked, HERE)


@pytest.mark.parametrize(
    "text",
    [
        "blооd",
        "ｂｌｏｏｄ",
        "b l o o d",
        "b.l.o.o.d",
        "bl00d",
        "bl\u200bood",
        "𝐛𝐥𝐨𝐨𝐝",
        "ʙʟᴏᴏᴅ",
        "BLOOD!",
        "_blood_",
        "b1ood",
        "8lood",
        "bIood",
        "b|ood",
        "blooood",
        "bl(oo)d",
        "b🩸lood",
        "b\u3164lood",
        "bl**d",
        "ɓlood",
        "βlood",
        "вloоd",
        "\u202edoolb\u202c",
        "b\u0336l\u0336ood",
    ],
)  # Cyrillic, full width, spaced, dotted, digits, invisible, mathematical, small capitals, …
def test_a_word_is_found_however_it_is_spelt(text: str) -> None:
    assert forbidden([f"the {text} of a"], ("blood",)) == "blood"


@pytest.mark.parametrize("text", [
    *("bloodhound", "röd", "A B C", "red, then a room", "КРОВЛЯ", "he'll", "who’re", "the pen—is"),
    *("bl ood", "4 of 10", "mass", "grass-ets"),
])  # fmt: skip
def test_no_other_word_is_taken_for_one_of_a_rule(text: str) -> None:
    rules = ("blood", "rod", "red room", "кровь", "hell", "whore", "penis", "ass")
    assert forbidden([text], rules) is None


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("żółć", "zolc"),  # people leave accents out
        ("żółć", "Z\u0307O\u0301ŁC\u0301"),
        ("Straße", "STRASSE"),
        ("血", "大量の血が"),  # no spaces between words
        ("سكس", "سـكـس"),
        ("кровь", "kpoвь"),
        ("bloody murder", "bloody\u200bmurder"),
        ("bloody murder", "bloody\u2028\nmurder"),
    ],
)
def test_words_of_every_language_are_found(rule: str, text: str) -> None:
    assert forbidden([text], (rule,)) == rule


def test_a_hostile_text_takes_no_long_time_to_look_through() -> None:
    rules = tuple(f"word{number}" for number in range(300))
    begun = time.process_time()
    assert forbidden(["b1o0$d.x\u200b" * 200, "a*" * 1000], rules) is None
    assert time.process_time() - begun < 2  # 0.2 s on a quiet core


def test_a_phrase_is_found_over_any_gap_and_in_any_case() -> None:
    for text in ("a Red   Room", "red_room", "RED-ROOM", "КРОВЬ"):
        assert forbidden([text], ("red room", "кровь")) is not None
    assert forbidden(["nudity"], ("nud*",)) == "nud*"


@pytest.mark.parametrize(
    ("rule", "value", "error"),
    [
        ("max_seconds", "soon", NotANumber),
        ("max_pixels", "-4", OutOfRange),
        ("modes", "t2v,movie", NotAChoice),
        ("colour", "red", NotAChoice),
    ],
)
def test_nonsense_rules_are_refused(rule: str, value: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        Policy().changed(rule, value)


def test_policies_survive_json_and_ignore_unknown_rules() -> None:
    policy = Policy(channels=("1",), max_seconds=2.5)
    data = json.loads(json.dumps(policy.to_json())) | {"colour": "red"}

    assert Policy.from_json(data) == policy
