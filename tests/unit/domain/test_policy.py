import json

import pytest

from core.domain.modes import Mode
from core.domain.people import Asker
from core.domain.policy import Policy
from core.domain.presets import Preset
from core.domain.requests import Request, Sampling
from core.errors import NotAChoice, OutOfRange, PolicyForbids

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


def test_words_match_whole_words_only() -> None:
    Policy(words=("ox", "run", "re")).check(REQUEST, HERE)


def test_a_length_snapped_up_to_whole_frames_is_still_allowed() -> None:
    Policy(max_seconds=5).check(REQUEST, HERE)  # 121 frames play 5.04 s


def test_rules_are_set_from_typed_text_and_cleared_by_nothing() -> None:
    policy = Policy().changed("channels", "1, 2 3").changed("max_seconds", "8")

    assert policy == Policy(channels=("1", "2", "3"), max_seconds=8)
    assert policy.changed("channels", "").changed("max_seconds", "") == Policy()


@pytest.mark.parametrize(
    ("rule", "value", "error"),
    [
        ("max_seconds", "soon", OutOfRange),
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
