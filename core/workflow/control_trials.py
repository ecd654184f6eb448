"""List what a trial of a workflow has to try, from the tables of options and files.

Whatever a person can type or send is a control. Each is changed by itself, as the fronts would do
it, and the two graphs say whether a clip may differ: where they are the same, it must not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.domain.limits import RequestLimits
from core.domain.media import MediaFile
from core.domain.modes import MODES
from core.domain.options import OPTIONS, Option, OptionKind, Options, options_in
from core.domain.presets import PRESETS, Preset
from core.domain.request_builder import compose
from core.domain.requests import Request
from core.domain.styles import FilledOptions
from core.domain.words import StyleWords
from core.errors import InvalidInput
from core.models.catalog import FAMILY, Profile
from core.workflow.adopt.reach import reaches
from core.workflow.bind import bind
from core.workflow.graph import Graph
from core.workflow.input_files import inputs_of
from core.workflow.library import Workflow
from core.workflow.prompt_phrases import has_phrase
from core.workflow.values import MachineChoices

# The smallest clips: one latent of two stages is 128 px, whose first is half of it.
LIMITS = RequestLimits(
    min_seconds=0.3, max_seconds=1.1, min_side=128, max_side=192, max_pixels=128 * 192
)
_PROMPTS = ("a boat leaves the harbour", "seven red kites over a snowy mountain")
# Values where the ends of a range or any other words would not do.
_FITTING: Mapping[str, tuple[Any, ...]] = {"times": ("0, 0.4",), "sound_from": (0.5,)}

Given = Mapping[str, tuple[MediaFile, MediaFile]]  # role: two files to choose from


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a control is tried beside: it may act beside some of them only."""

    name: str  # an identifier with a word; empty for what is tried first
    preset: Preset = Preset.FAST
    guided: bool = False  # the profile allows the guided schedule
    every_file: bool = False  # with those that may be left out
    limits: RequestLimits = LIMITS


CONDITIONS = (
    Conditions(""),
    Conditions("with_files", every_file=True),
    Conditions("at_quality", Preset.QUALITY),
    Conditions("guided", Preset.QUALITY, guided=True),
)


@dataclass(frozen=True, slots=True)
class TrialCase:
    """One control, changed by itself."""

    control: str  # name of an option or a role
    value: str  # that it is changed to; empty for files
    beside: Conditions
    before: Request
    after: Request
    acts: bool  # the clip must differ; else it must be the very same


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request of a trial, and the graph that it becomes."""

    request: Request
    graph: Graph


def trial_cases(workflow: Workflow, given: Given, scale: int = 1) -> list[TrialCase]:
    """List every control of ``workflow``, with each value that takes a way of its own.

    Beside other conditions than the first, a control is listed only where it did not act before.

    Args:
        workflow: the project's own, or somebody's.
        given: two files for each role of the mode.
        scale: how many times larger than the smallest the sides are.
    """
    limits = _scaled(LIMITS, scale)
    cases: list[TrialCase] = []
    acted: set[tuple[str, str]] = set()
    for conditions in (replace(each, limits=limits) for each in CONDITIONS):
        if conditions.every_file and not MODES[workflow.mode].more:
            continue
        base = _asked(workflow, given, conditions, _base(conditions))
        if base is None:  # a graph of somebody's own takes no further files
            continue
        seen: list[tuple[str, Graph]] = []  # values that come to the same are tried once
        for control, value, asked in _changed(workflow, given, conditions):
            if (control, value) in acted or asked is None or asked.request == base.request:
                continue
            acts = asked.graph != base.graph and not _idle(workflow, control)
            acted |= {(control, value)} if acts else set()
            made = control, asked.graph
            if (acts or not conditions.name) and made not in seen:
                requests = base.request, asked.request
                cases.append(TrialCase(control, value, conditions, *requests, acts))
            seen.append(made)
    return cases


def unproven(workflow: Workflow, cases: Sequence[TrialCase]) -> list[str]:
    """Return the controls of the mode of ``workflow`` that none of ``cases`` has acting."""
    mode = MODES[workflow.mode]
    named = [option.name for option in options_in(workflow.mode)]
    named += [slot.role for slot in mode.every_slot]
    acting = {case.control for case in cases if case.acts}
    return [name for name in named if name not in acting]


def values_to_try(option: Option, base: Options, limits: RequestLimits = LIMITS) -> tuple[Any, ...]:
    """Return values of ``option`` that ``base`` does not have, one for each way that they take.

    Choices that become a sentence of the prompt all take the same way.
    """
    now = getattr(base, option.name)
    if option.name in _FITTING:
        return _FITTING[option.name]
    match option.kind:
        case OptionKind.TEXT:
            return (_PROMPTS[1],)
        case OptionKind.CHOICE:
            others = [c for c in option.choices if c != (option.default if now is None else now)]
            return tuple(str(c) for c in (others[:1] if has_phrase(option.name) else others))
        case OptionKind.SEED:
            return (now + 1,)
        case OptionKind.COUNT:
            return tuple(int(end) for end in option.range_in(limits))
        case OptionKind.NUMBER:
            return option.range_in(limits)


def _base(conditions: Conditions) -> Options:
    return Options(prompt=_PROMPTS[0], preset=conditions.preset, seconds=0.7, fps=24, seed=1)


def _changed(
    workflow: Workflow, given: Given, conditions: Conditions
) -> Iterator[tuple[str, str, _Asked | None]]:
    """Yield each option with each value, then each file, and what is asked with it."""
    base = _base(conditions)
    for option in options_in(workflow.mode):
        for value in values_to_try(option, base, conditions.limits):
            changed = replace(base, **{option.name: value})
            text = "" if option.kind is OptionKind.TEXT else str(value)
            yield option.name, text, _asked(workflow, given, conditions, changed)
    for slot in _slots(workflow, conditions):
        other = {**given, slot: (given[slot][1], given[slot][0])}
        yield slot, "", _asked(workflow, other, conditions, base)


def _slots(workflow: Workflow, conditions: Conditions) -> list[str]:
    spec = MODES[workflow.mode]
    return [slot.role for slot in (spec.every_slot if conditions.every_file else spec.slots)]


def _asked(
    workflow: Workflow, given: Given, conditions: Conditions, options: Options
) -> _Asked | None:
    roles = _slots(workflow, conditions)
    return _made(workflow, given, roles, options, conditions)


def _made(
    workflow: Workflow,
    given: Given,
    roles: Sequence[str],
    options: Options,
    conditions: Conditions,
) -> _Asked | None:
    """Return what is asked, None where it is refused: by the rules, or by the graph."""
    media = {role: given[role][0] for role in roles}
    words = StyleWords(options.style, before=options.style) if options.style else None
    filled = FilledOptions(options, words, ())
    limits = _limits(workflow, options, conditions.limits)
    try:
        request = compose(workflow.mode, options, media, limits, filled).request.as_worded
        staged = {item.role: repr(item) for item in inputs_of(workflow, request)}
        choices = MachineChoices(guided=conditions.guided)
        bound = bind(workflow, request, FAMILY.names(Profile.FP8), staged, "", choices)
    except InvalidInput:
        return None
    return _Asked(request, bound.bound)


def _limits(workflow: Workflow, options: Options, limits: RequestLimits) -> RequestLimits:
    """Return the limits of the smallest clips, of which a graph without a stage less is a draft."""
    several = options.drafts is not None and options.drafts != OPTIONS["drafts"].default
    spec = PRESETS[Preset.DRAFT if several else Preset(options.preset or Preset.FAST)]
    return limits if spec.scale == 1 or workflow.bindings.drafts else _scaled(limits, spec.scale)


def _scaled(limits: RequestLimits, scale: int) -> RequestLimits:
    low, high, pixels = limits.min_side, limits.max_side, limits.max_pixels
    sides = {"min_side": low * scale, "max_side": high * scale, "max_pixels": pixels * scale**2}
    return replace(limits, **sides)


def _idle(workflow: Workflow, control: str) -> bool:
    """Tell whether the graph of ``workflow`` is known to make nothing of ``control``."""
    bound = {binding.node for binding in workflow.bindings.named(control)}
    if not workflow.custom or OPTIONS.get(control) is not OPTIONS["negative_prompt"]:
        return False
    return not any(reaches(workflow.graph, node, text=True) for node in bound)
