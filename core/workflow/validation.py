"""Check that a graph, its bindings, the node schema and the requests fit together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import TypeAlias

from core.domain.modes import MODES, Mode
from core.models.catalog import FAMILY, ModelNames
from core.workflow.bind import take_form
from core.workflow.bindings import Binding
from core.workflow.errors import TemplateBroken
from core.workflow.graph import Graph, Input, Link, Node
from core.workflow.library import Workflow
from core.workflow.node_schema import ANY, OURS, InputSpec, NodeSpec, known_nodes
from core.workflow.unused_fields import unbound_fields
from core.workflow.values import FIELDS, SOUND

OUTPUT_KIND = "ClapperOutput"
MAX_NODES = 50  # of a graph of the project: more is not read by anybody
# Values that a graph may leave alone: derived ones, the schedule of somebody's own graph.
_DERIVED = {"canvas_width", "canvas_height", "half_width", "half_height", "crop_x", "crop_y"}
# Values that a form of this class gets; without them it would do what its file says in every run.
_NEEDED = {
    "VAEDecodeTiled": "tile_size",
    "ClapperStage1": "stage1",
    "ClapperPromptEncode": "prompt_key",
    **FAMILY.nodes.guidance,
    "ClapperGuidanceRescale": "rescale",
}
_PLANNED = {
    "seconds",
    "heard_seconds",
    "typed_prompt",
    "word_rules",
    "added_prompt",
    "enhanced_tokens",
    "image_compression",
    "sound_noise",
    "audio_guidance",
    "modality",
    "perturbation",
    "perturbed_blocks",
    "rescale",
    "stage2_sigmas",
    "stage2_strength",
    "control_strength",
    "sampler",
    "job",
    "stage1",
    "tile_size",
    "sound_latents",
    "held_latents",
    "sound_free",
    SOUND,
}


Schema: TypeAlias = Mapping[str, NodeSpec]


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing that does not fit; ``reason`` is an identifier with a word."""

    reason: str
    node: str = ""
    name: str = ""  # of the input or of the field
    detail: str = ""

    def __str__(self) -> str:
        place = ".".join(part for part in (self.node, self.name) if part)
        reason = self.reason.replace("_", " ")
        return " ".join(part for part in (reason, place, self.detail) if part)


def require_sound(workflow: Workflow) -> None:
    """Refuse ``workflow`` if anything does not fit.

    Raises:
        TemplateBroken: with every defect.
    """
    found = defects(workflow)
    if found:
        raise TemplateBroken(workflow.mode, "; ".join(str(defect) for defect in found))


def defects(workflow: Workflow) -> list[Defect]:
    """List everything that does not fit in ``workflow``, in all its forms."""
    return [
        *_structure(workflow),
        *_bindings(workflow),
        *(Defect("field_unbound", name=name) for name in unbound_fields(workflow)),
        *(defect for graph in shapes_of(workflow) for defect in graph_defects(graph, workflow)),
    ]


def graph_defects(
    graph: Graph, workflow: Workflow | None = None, schema: Schema | None = None
) -> Iterator[Defect]:
    """Yield what ComfyUI's own validation would refuse, as far as the classes are known.

    Args:
        graph: of ``workflow`` where it has one.
        workflow: some things are left to the owner of a custom one.
        schema: of another ComfyUI than the pinned one.
    """
    custom = workflow is not None and workflow.custom
    schema = known_nodes() if schema is None else schema
    foreign = any(_foreign(schema, node) for node in graph.nodes.values())
    for node in graph.nodes.values():
        spec = schema.get(node.kind)
        if spec is None:
            if not custom:
                yield Defect("unknown_class", node.id, detail=node.kind)
            continue
        if custom and _foreign(schema, node):  # another version of the pack may be installed
            continue
        yield from _missing(node, spec)
        for name, value in node.inputs.items():
            found = _input(graph, node, schema, name, value, strict=not custom)
            # packs widen lists such as that of the samplers
            yield from (item for item in found if not (custom and foreign and _listed(spec, item)))


def _foreign(schema: Schema, node: Node) -> bool:
    spec = schema.get(node.kind)
    return spec is None or spec.pack not in OURS


def unknown_kinds(graph: Graph) -> dict[str, str]:
    """Return the classes that do not come with ComfyUI: class to its pack, "" if unknown."""
    schema = known_nodes()
    kinds = dict.fromkeys(node.kind for node in graph.nodes.values())
    packs = {kind: schema[kind].pack if kind in schema else "" for kind in kinds}
    return {kind: pack for kind, pack in packs.items() if pack not in OURS}


def shapes_of(workflow: Workflow) -> Iterator[Graph]:
    """Yield the graph of ``workflow`` as it is, and with each of its forms."""
    yield workflow.graph
    forms = workflow.bindings.forms
    for condition in dict.fromkeys(form.when for form in forms):
        nodes = [take_form(workflow.graph, form) for form in forms if form.when is condition]
        yield workflow.graph.with_nodes(*nodes)


def _structure(workflow: Workflow) -> Iterator[Defect]:
    graph, bindings = workflow.graph, workflow.bindings
    output = graph.nodes.get(bindings.output)
    if output is None or output.kind != OUTPUT_KIND:
        yield Defect("no_output", bindings.output)
        return
    for dead in sorted(graph.nodes.keys() - graph.upstream(bindings.output)):
        yield Defect("dead_node", dead)
    for missing in sorted((graph.nodes.keys() | bindings.brought) ^ bindings.stages.keys()):
        yield Defect("no_stage", missing)
    if not workflow.custom and len(graph.nodes) > MAX_NODES:
        yield Defect("too_many_nodes", detail=str(len(graph.nodes)))


def _bindings(workflow: Workflow) -> Iterator[Defect]:
    kinds = {node.id: {node.kind} for node in workflow.graph.nodes.values()}
    kinds = {node: set[str]() for node in workflow.bindings.brought} | kinds
    for form in workflow.bindings.forms:
        if form.node not in kinds:
            yield Defect("no_such_node", form.node)
            return
        kinds[form.node].add(form.kind)
        value = _NEEDED.get(form.kind, "")
        targets = {(item.node, item.kind) for item in workflow.bindings.named(value)}
        if value and (form.node, form.kind) not in targets:
            yield Defect("form_unbound", form.node, value)
    for binding in workflow.bindings.values:
        yield from _binding(binding, kinds, workflow)


def _binding(
    binding: Binding, kinds: Mapping[str, set[str]], workflow: Workflow
) -> Iterator[Defect]:
    if binding.value not in value_names(workflow.mode):
        yield Defect("unknown_value", binding.node, binding.name, binding.value)
    if binding.node not in kinds:
        yield Defect("no_such_node", binding.node, binding.name)
        return
    if binding.kind not in kinds[binding.node]:
        yield Defect("another_class", binding.node, binding.name, binding.kind)
    spec = known_nodes().get(binding.kind)
    if spec is not None and not spec.open and spec.input(binding.name) is None:
        yield Defect("unknown_input", binding.node, binding.name)


def value_names(mode: Mode) -> set[str]:
    """Return the names of all values that a request of ``mode`` has."""
    roles = {slot.role for slot in MODES[mode].every_slot}
    files = {item.name for item in fields(ModelNames)}
    derived = {value for values in FIELDS.values() for value in values}
    places = {f"{role}_at" for role in roles}
    return roles | places | files | derived | _DERIVED | _PLANNED


def widened(graph: Graph) -> Iterator[Defect]:
    """Yield values of ComfyUI's own classes that its lists do not have, but a pack may add."""
    schema = known_nodes()
    for node in graph.nodes.values():
        if _foreign(schema, node):
            continue
        for name, value in node.inputs.items():
            found = _input(graph, node, schema, name, value, strict=False)
            yield from (item for item in found if _listed(schema[node.kind], item))


def _listed(spec: NodeSpec, found: Defect) -> bool:
    wanted = spec.input(found.name)
    return found.reason == "bad_value" and wanted is not None and wanted.choices is not None


def _missing(node: Node, spec: NodeSpec) -> Iterator[Defect]:
    for name, wanted in spec.inputs.items():
        given = name in node.inputs
        if wanted.grows is not None:  # ``values`` comes as ``values.a`` and so on
            given = sum(key.startswith(f"{name}.") for key in node.inputs) >= wanted.grows
        if wanted.required and not given:
            yield Defect("input_missing", node.id, name)


def _input(
    graph: Graph, node: Node, schema: Schema, name: str, value: Input, *, strict: bool
) -> Iterator[Defect]:
    spec = schema[node.kind]
    wanted = spec.input(name)
    if wanted is None:
        if strict and not spec.open:
            yield Defect("unknown_input", node.id, name)
        if not isinstance(value, Link):
            return
        wanted = InputSpec(ANY, required=False)
    if isinstance(value, Link):
        yield from _link(graph, node, schema, name, wanted)
    elif not _fits(wanted, value.value):
        yield Defect("bad_value", node.id, name, str(value.value)[:60])


def _link(
    graph: Graph, node: Node, schema: Schema, name: str, wanted: InputSpec
) -> Iterator[Defect]:
    link = dict(node.links())[name]
    source = graph.nodes.get(link.node)
    if source is None:
        yield Defect("no_such_node", node.id, name, link.node)
        return
    spec = schema.get(source.kind)
    if spec is None or spec.open:
        return
    if not 0 <= link.slot < len(spec.outputs):
        yield Defect("no_such_output", node.id, name, f"{link.node}:{link.slot}")
        return
    given = spec.outputs[link.slot]
    if wanted.type != "COMBO" and not wanted.takes(given):
        yield Defect("type_mismatch", node.id, name, f"{given} → {wanted.type}")


def _fits(wanted: InputSpec, value: object) -> bool:
    match wanted.type:
        case "COMBO":
            if wanted.files:
                return isinstance(value, str) and bool(value)
            return str(value) in (wanted.choices or ())
        case "INT" | "FLOAT":
            numeric = int if wanted.type == "INT" else (int, float)
            return (
                isinstance(value, numeric)
                and not isinstance(value, bool)
                and _within(wanted, float(value))
            )
        case "STRING":
            return isinstance(value, str)
        case "BOOLEAN":
            return isinstance(value, bool)
        case other:
            parts = other.split(",") if "," in other else []
            return other == ANY or any(_fits(replace(wanted, type=part), value) for part in parts)


def _within(wanted: InputSpec, value: float) -> bool:
    above = wanted.low is None or value >= wanted.low
    return above and (wanted.high is None or value <= wanted.high)
