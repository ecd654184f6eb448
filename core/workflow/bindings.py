"""Which inputs of a graph a request fills, as data beside the graph.

A binding file is TOML: ``[values]`` maps the name of a value (:mod:`core.workflow.values`) to the
inputs that take it; ``[[forms]]`` are other shapes of single nodes, taken when a condition holds;
``[stages]`` says what the person waiting reads while a node runs.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, cast

from core.domain.dimensions import SIDE_MULTIPLE, Size
from core.domain.progress import Stage
from core.domain.requests import Sampling
from core.workflow.graph import Input, Link, Literal


class Condition(StrEnum):
    """When a node takes its other form."""

    UNGUIDED = "unguided"  # CFG 1: the negative prompt is not looked at
    GUIDED = "guided"  # stage 1 runs undistilled, with every term of the makers' guidance
    SYNCED = "synced"  # distilled, but with the modality term all the same
    ENHANCED = "enhanced"  # a language model makes more of the prompt
    TILED = "tiled"  # decode in tiles to save memory
    SOURCE_SOUND = "source_sound"  # the source video has sound, which is kept
    DEPTH = "depth"  # of the source, its depth is kept
    POSE = "pose"  # of the source, the pose of people is kept
    DRAFT = "draft"  # stage 1 alone is made, and its latents are kept
    CONTINUED = "continued"  # stage 1 was made before; its latents are read instead


@dataclass(frozen=True, slots=True)
class Binding:
    """``value`` goes to the input ``name`` of ``node``, which must be a ``kind``."""

    value: str
    node: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class NodeForm:
    """What ``node`` becomes ``when`` a condition holds."""

    node: str
    when: Condition
    kind: str
    inputs: Mapping[str, Input]
    keep: tuple[str, ...] = ()  # inputs taken over from the node of the graph
    title: str = ""  # of a node that the graph does not have without this form


@dataclass(frozen=True, slots=True)
class PictureChain:
    """How further pictures are taken: the nodes of the role ``like``, repeated behind them.

    Those that hand on what they change have an input for each output, in their order: ``through``.
    """

    like: str
    through: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bindings:
    """All that is known of one graph beside the graph."""

    output: str  # the ClapperOutput node
    values: tuple[Binding, ...]
    stages: Mapping[str, Stage]
    forms: tuple[NodeForm, ...] = ()
    canvas: int = SIDE_MULTIPLE  # px; the graph works on sides rounded up to it
    whole_sound: bool = False  # a given sound is to be staged as a model of the project hears it
    pictures: PictureChain | None = None  # where the mode may have more of them

    @property
    def brought(self) -> frozenset[str]:
        """Return the nodes that the graph has in some forms only."""
        return frozenset(form.node for form in self.forms if form.title)

    @property
    def drafts(self) -> bool:
        """Tell whether the graph can end after its first stage."""
        return any(form.when is Condition.DRAFT for form in self.forms)

    def size_of(self, sampling: Sampling) -> Size:
        """Return the size that the graph works towards: of a draft, that of the finished clip."""
        return sampling.finished if self.drafts else sampling.size

    def named(self, value: str) -> tuple[Binding, ...]:
        """Return where ``value`` goes."""
        return tuple(binding for binding in self.values if binding.value == value)


def parse_bindings(text: str) -> Bindings:
    """Parse the bindings in ``text``; the files are ours, so a mistake raises KeyError."""
    data = tomllib.loads(text)
    values = [
        Binding(value, target["node"], target["class"], target["input"])
        for value, targets in data["values"].items()
        for target in targets
    ]
    stages = {node: Stage(stage) for stage, nodes in data["stages"].items() for node in nodes}
    return Bindings(
        output=data["output"],
        values=tuple(values),
        stages=MappingProxyType(stages),
        forms=tuple(_form(entry) for entry in data.get("forms", [])),
        canvas=data.get("canvas", SIDE_MULTIPLE),
        whole_sound=data.get("whole_sound", False),
        pictures=_chain(data["pictures"]) if "pictures" in data else None,
    )


def _chain(entry: Mapping[str, Any]) -> PictureChain:
    return PictureChain(entry["like"], tuple(entry["through"]))


def dump_bindings(bindings: Bindings, remark: str) -> str:
    """Write the text of a file for ``bindings`` without forms, headed by ``remark``."""
    lines = [f"# {remark}", f"output = {_quote(bindings.output)}", f"canvas = {bindings.canvas}"]
    lines += ["whole_sound = true"] if bindings.whole_sound else []
    lines += ["", "[values]"]
    for value in dict.fromkeys(binding.value for binding in bindings.values):
        lines.append(f"{value} = [")
        lines += [
            f"  {{ node = {_quote(item.node)}, class = {_quote(item.kind)}, "
            f"input = {_quote(item.name)} }},"
            for item in bindings.named(value)
        ]
        lines.append("]")
    lines += ["", "[stages]"]
    for stage in dict.fromkeys(bindings.stages.values()):
        nodes = [node for node, found in bindings.stages.items() if found is stage]
        lines.append(f"{stage} = [{', '.join(_quote(node) for node in nodes)}]")
    return "\n".join(lines) + "\n"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _form(entry: Mapping[str, Any]) -> NodeForm:
    inputs = {name: read_input(value) for name, value in entry["inputs"].items()}
    return NodeForm(
        node=entry["node"],
        when=Condition(entry["when"]),
        kind=entry["class"],
        inputs=MappingProxyType(inputs),
        keep=tuple(entry.get("keep", ())),
        title=entry.get("title", ""),
    )


def read_input(value: object) -> Input:
    """Read an input as a binding file writes it: a link is a list of node and output."""
    if isinstance(value, list):
        node, slot = cast("tuple[str, int]", value)
        return Link(node, slot)
    return Literal.of(value)
