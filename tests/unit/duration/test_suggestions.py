"""A refusal says "choose that or less": what it names is accepted when a person types it."""

from dataclasses import replace
from itertools import product

import pytest

from core.domain.limits import RequestLimits
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.presets import Preset
from core.domain.request_builder import compose
from core.domain.requests import Request
from core.domain.sizing import ASPECTS
from core.duration import BY_KEY, Machine, check_budget, estimate, largest_fitting
from core.errors import NothingFits, TooCostly
from core.i18n.messages import explain, languages

MACHINES = [
    Machine(BY_KEY["h200"], "bf16"),
    Machine(BY_KEY["rtx-pro-6000"], "bf16"),
    Machine(BY_KEY["rtx-pro-6000-half"], "fp8"),
    Machine(BY_KEY["draft"], "draft"),
]
LIMITS = {
    "the product's": RequestLimits(),
    "narrow": RequestLimits(min_side=300, max_side=1000, max_pixels=700_000),
    "odd lengths": RequestLimits(min_seconds=1.62, max_seconds=7.333),
}


def asked(preset: Preset, limits: RequestLimits, **typed: object) -> Request:
    options = replace(Options("a", preset, seed=1), **typed)  # type: ignore[arg-type]  # by a test
    return compose(Mode.T2V, options, {}, limits).request


def retyped(request: Request, named: TooCostly, limits: RequestLimits) -> Request:
    typed = Options(
        "a", named.preset, named.width, named.height, None, named.seconds, request.sampling.fps, 1
    )
    return compose(Mode.T2V, typed, {}, limits).request


@pytest.mark.parametrize(
    ("machine", "limits"),
    [
        *((machine, LIMITS["the product's"]) for machine in MACHINES),
        (MACHINES[0], LIMITS["narrow"]),
        (MACHINES[2], LIMITS["odd lengths"]),
    ],
    ids=lambda value: value.hardware.key if isinstance(value, Machine) else None,
)
@pytest.mark.parametrize("preset", Preset)
def test_what_a_refusal_names_is_accepted_and_is_what_was_found(
    machine: Machine, limits: RequestLimits, preset: Preset
) -> None:
    named_any = False
    lengths = (limits.min_seconds, limits.max_seconds)
    for aspect, seconds, fps in product((None, "1:1", "9:16"), lengths, (16, 25)):
        request = asked(preset, limits, aspect=aspect, seconds=seconds, fps=fps)
        cost = estimate(request, machine).gpu_ms
        for share in (0.15, 0.6):
            try:
                check_budget(request, cost * share, machine, limits)
            except NothingFits:
                continue
            except TooCostly as named:
                again = retyped(request, named, limits)
                named_any = True
                assert again == largest_fitting(request, cost * share, machine, limits)
                check_budget(again, cost * share, machine, limits)
    assert named_any


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("preset", Preset)
def test_a_refusal_says_the_preset_as_it_is_typed_and_the_finished_size(
    language: str, preset: Preset
) -> None:
    machine = MACHINES[0]
    request = asked(preset, RequestLimits(), seconds=20)

    with pytest.raises(TooCostly) as caught:
        check_budget(request, estimate(request, machine).gpu_ms * 0.5, machine)

    named = caught.value
    found = largest_fitting(request, named.limit_ms, machine)
    assert found is not None
    assert str(found.sampling.finished) in explain(named, language)
    assert found.sampling.preset.value in explain(named, language)


@pytest.mark.parametrize("aspect", ASPECTS)
def test_less_than_a_suggestion_is_accepted_too(aspect: str) -> None:
    limits, machine = RequestLimits(), MACHINES[0]
    request = asked(Preset.QUALITY, limits, aspect=aspect, seconds=10)
    budget = estimate(request, machine).gpu_ms * 0.5
    with pytest.raises(TooCostly) as caught:
        check_budget(request, budget, machine, limits)

    named = caught.value
    less = Options("a", named.preset, named.width, named.height, None, named.seconds / 2, seed=1)
    check_budget(compose(Mode.T2V, less, {}, limits).request, budget, machine, limits)
