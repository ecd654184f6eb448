"""Fill a graph with the values of one request. Pure: nothing is read, written or changed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from core.domain.options import OPTIONS
from core.domain.presets import PRESETS, Enhance
from core.domain.progress import Stage
from core.domain.requests import Request
from core.models.catalog import FAMILY, ModelFamily, ModelNames
from core.workflow.bindings import Bindings, Condition, NodeForm
from core.workflow.doubled_frames import DOUBLED, LOADER, with_doubled_frames
from core.workflow.graph import Graph, Leaf, Literal, Node
from core.workflow.library import Workflow
from core.workflow.more_pictures import with_pictures
from core.workflow.split_loaders import split_loaders
from core.workflow.values import SOUND, MachineChoices, guided, synced, values_of

_STAGES = {LOADER: Stage.LOAD, DOUBLED: Stage.DECODE}
_ENHANCING = "ClapperPromptEncode"
SAMPLERS = ("SamplerCustomAdvanced", "SamplerCustom", "KSampler", "KSamplerAdvanced")


@dataclass(frozen=True, slots=True)
class BoundWorkflow:
    """A graph with one request's values, and what its nodes mean for the person waiting."""

    bound: Graph
    output_node: str  # the ClapperOutput; frames and sound are read there and nowhere else
    stages: Mapping[str, Stage]  # every node
    steps: Mapping[str, int]  # sampler nodes whose steps are known
    custom: bool = False

    @property
    def graph(self) -> dict[str, dict[str, Any]]:
        """Return a fresh prompt in API format, which ComfyUI may change as it likes."""
        return self.bound.to_prompt()


def bind(
    workflow: Workflow,
    request: Request,
    names: ModelNames,
    staged: Mapping[str, str],
    job: str,
    choices: MachineChoices | None = None,
    family: ModelFamily = FAMILY,
) -> BoundWorkflow:
    """Fill ``workflow`` with the values of ``request``.

    Args:
        workflow: of the request's mode.
        request: checked and snapped.
        names: model files as the loader nodes know them.
        staged: names inside ComfyUI's input folder, by role; :mod:`core.workflow.input_files` lists
            what is to be staged.
        job: names the run in the output node.
        choices: what the machine decides; None is the distilled schedule and whole frames.
        family: schedules and strengths.

    Raises:
        MediaMissing: a file of the request was not staged.
        MediaUnexpected: a graph of somebody's own takes fewer pictures.
    """
    choices = choices or MachineChoices()
    workflow = with_pictures(workflow, staged)
    if workflow.custom and request.sampling.doubled:  # its owner decides what is done to frames
        request = replace(request, sampling=replace(request.sampling, doubled=False))
    bindings = workflow.bindings
    values = values_of(request, names, staged, job, choices, bindings, family)
    active = _conditions(request, staged, choices)
    graph = workflow.graph
    for form in bindings.forms:  # one after the other: a node may take two, a draft in tiles
        if form.when in active:
            graph = graph.with_nodes(take_form(graph, form))
    graph = _fill(graph, bindings, values)
    written = graph
    if names.split and not workflow.custom:  # whose models stay as their owner set them
        graph = split_loaders(graph, names)
    if request.sampling.doubled:
        graph = with_doubled_frames(graph, bindings, names)
    graph = graph.pruned(bindings.output)
    return BoundWorkflow(
        bound=graph,
        output_node=bindings.output,
        stages=MappingProxyType({node: _stage_of(node, bindings, written) for node in graph.nodes}),
        steps=MappingProxyType(_steps(graph)),
        custom=workflow.custom,
    )


def _stage_of(node: str, bindings: Bindings, written: Graph) -> Stage:
    """Return the stage of ``node``; one that the graph was not written with loads a file."""
    known = {**_STAGES, **bindings.stages}
    return known.get(node, Stage.PREPARE if node in written.nodes else Stage.LOAD)


def _conditions(
    request: Request, staged: Mapping[str, str], choices: MachineChoices
) -> frozenset[Condition]:
    found: set[Condition] = set()
    if guided(request, choices):
        found.add(Condition.GUIDED)
    else:
        found.add(Condition.UNGUIDED)
        if synced(request, choices):
            found.add(Condition.SYNCED)
    found |= _asked_for(request)
    if choices.tile:
        found.add(Condition.TILED)
    if not PRESETS[request.sampling.preset].stage2_steps:
        found.add(Condition.DRAFT)
    elif choices.stage1:
        found.add(Condition.CONTINUED)
    if SOUND in staged:
        found.add(Condition.SOURCE_SOUND)
    return frozenset(found)


def _asked_for(request: Request) -> set[Condition]:
    """Return what somebody chose."""
    found = {Condition.ENHANCED} if request.sampling.enhance is Enhance.ON else set[Condition]()
    if OPTIONS["control"].offered_in(request.mode):
        found |= {one for one in Condition if one == request.sampling.control}
    return found


def take_form(graph: Graph, form: NodeForm) -> Node:
    """Return the node of ``graph`` in the shape that ``form`` gives it, or a node it brings."""
    if form.title:
        return Node(form.node, form.kind, form.inputs, form.title)
    node = graph.nodes[form.node]
    kept = {name: node.inputs[name] for name in form.keep}
    return Node(node.id, form.kind, MappingProxyType({**kept, **form.inputs}), node.title)


def key_of_prompt(graph: Graph) -> str:
    """Return the key of the prompt that a model is to lengthen, "" where none is."""
    keys = (node.inputs.get("key") for node in graph.nodes.values() if node.kind == _ENHANCING)
    return next((str(key.value) for key in keys if isinstance(key, Literal)), "")


def _fill(graph: Graph, bindings: Bindings, values: Mapping[str, Leaf]) -> Graph:
    changed: dict[str, Node] = {}
    for binding in bindings.values:
        node = changed.get(binding.node, graph.nodes.get(binding.node))
        if node is not None and binding.value in values and node.kind == binding.kind:
            filled = node.with_input(binding.name, Literal.of(values[binding.value]))
            changed[node.id] = filled
    return graph.with_nodes(*changed.values())


def _steps(graph: Graph) -> dict[str, int]:
    """Return the steps of each sampler whose noise levels are written in the graph."""
    found: dict[str, int] = {}
    for node in graph.nodes.values():
        if node.kind not in SAMPLERS:
            continue
        links = dict(node.links())
        steps = node.inputs.get("steps")
        if isinstance(steps, Literal):
            found[node.id] = int(str(steps.value))
        elif "sigmas" in links:
            sigmas = graph.nodes[links["sigmas"].node].inputs.get("sigmas")
            if isinstance(sigmas, Literal):
                found[node.id] = len(str(sigmas.value).split(",")) - 1
    return found
