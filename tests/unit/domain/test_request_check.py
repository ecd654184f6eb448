"""Limits hold for requests of earlier days, and never refuse what is composed within them."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.domain.dimensions import FRAME_STRIDE
from core.domain.followups import again, quality
from core.domain.limits import RequestLimits
from core.domain.modes import Mode
from core.domain.options import ASPECTS, Options
from core.domain.presets import Preset
from core.domain.request_builder import compose
from core.domain.request_check import allows, bounded_values, check_limits
from core.errors import InvalidInput, OutOfRange, PromptTooLong

WIDE = RequestLimits()
OLD = compose(
    Mode.T2V,
    Options(
        prompt="a kite over the sea",
        seconds=19,
        fps=30,
        width=1280,
        height=704,
        negative_prompt="blur and noise everywhere",
    ),
    {},
    WIDE,
).request


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"max_seconds": 5.0}, "seconds"),
        ({"max_seconds": 18.0}, "seconds"),
        ({"min_seconds": 20.0, "max_seconds": 30.0}, "seconds"),
        ({"max_fps": 24}, "fps"),
        ({"min_fps": 60, "max_fps": 90}, "fps"),
        ({"max_side": 1024}, "width"),
        ({"min_side": 1024}, "height"),
        ({"max_pixels": 500_000}, "pixels"),
    ],
)
def test_an_old_request_is_refused_by_the_limit_that_was_narrowed(changes, field):
    limits = replace(WIDE, **changes)

    with pytest.raises(OutOfRange) as refused:
        check_limits(again(OLD), limits)

    assert refused.value.field == field
    assert not allows(OLD, limits)


@pytest.mark.parametrize("characters", [10, 20])
def test_texts_of_an_old_request_are_measured_again(characters):
    with pytest.raises(PromptTooLong):
        check_limits(OLD, replace(WIDE, prompt_characters=characters))


LIMITS = st.builds(
    RequestLimits,
    prompt_characters=st.just(2000),
    min_seconds=st.sampled_from([0.5, 1.0, 2.0, 4.9]),
    max_seconds=st.sampled_from([5.0, 5.1, 7.3, 20.0]),
    min_side=st.sampled_from([64, 256, 300, 512]),
    max_side=st.sampled_from([512, 900, 1920]),
    max_pixels=st.sampled_from([200_000, 300_000, 1_000_000, 2_100_000]),
    min_fps=st.sampled_from([1, 8, 12]),
    max_fps=st.sampled_from([24, 25, 30]),
)


@settings(max_examples=150)
@given(
    limits=LIMITS,
    preset=st.sampled_from(Preset),
    aspect=st.sampled_from([None, *ASPECTS]),
    seconds=st.none() | st.floats(0.5, 20),
    fps=st.none() | st.integers(1, 30),
)
def test_what_is_composed_within_limits_passes_them_and_so_do_its_follow_ups(
    limits, preset, aspect, seconds, fps
):
    # lengths go in steps of eight frames: some of them has to be within the limits at all
    assume((limits.max_seconds - limits.min_seconds) * (fps or limits.default_fps) >= FRAME_STRIDE)
    options = Options("a kite", preset=preset, aspect=aspect, seconds=seconds, fps=fps)
    try:
        request = compose(Mode.T2V, options, {}, limits).request
    except InvalidInput:
        return
    for one in (request, again(request), quality(request, limits)):
        check_limits(one, limits)


def test_buttons_offer_only_values_that_the_limits_allow():
    limits = replace(WIDE, min_seconds=4.0, max_seconds=6.0)

    assert bounded_values(limits, "seconds", ("3", "5", "10")) == ("5",)
    assert bounded_values(limits, "preset", ("draft", "fast")) == ("draft", "fast")
