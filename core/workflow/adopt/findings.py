"""The state of an adoption: the graph, what was found in it, and by which evidence."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from core.domain.modes import Mode
from core.errors import Scalar
from core.workflow.bindings import Binding
from core.workflow.graph import Graph, Literal
from core.workflow.library import Workflow


class EvidenceKind(StrEnum):
    """The evidence that told an input's meaning."""

    CLASS = "by_class"
    LINK = "by_link"
    TITLE = "by_title"
    VALUE = "by_value"


@dataclass(frozen=True, slots=True)
class AdoptionFinding:
    """One row of the table: a binding, the node's title, and what told it."""

    binding: Binding
    title: str
    how: EvidenceKind


@dataclass(frozen=True, slots=True)
class AdoptionNotice:
    """Something that was changed or is needed, as the code and data of a sentence."""

    code: str
    data: dict[str, Scalar]


@dataclass(frozen=True, slots=True)
class Adoption:
    """The workflow as it will be kept, and what to tell its owner."""

    workflow: Workflow
    findings: tuple[AdoptionFinding, ...]
    notices: tuple[AdoptionNotice, ...]


@dataclass(slots=True)
class AdoptionDraft:
    """The state of one adoption; only the functions of this package change it."""

    mode: Mode
    graph: Graph
    output: str
    loras: Path | None = None  # where files of LoRAs lie on this machine, to read their headers
    newer: bool = False  # the ComfyUI in use came after the pinned one
    whole_sound: bool = False  # a given sound is heard in whole blocks
    findings: list[AdoptionFinding] = field(default_factory=list[AdoptionFinding])
    notices: list[AdoptionNotice] = field(default_factory=list[AdoptionNotice])

    def take(
        self, value: str, node: str, name: str, how: EvidenceKind, sample: object = None
    ) -> None:
        """Bind ``value`` to an input; a link there is cut and ``sample`` written instead."""
        found = self.graph.nodes[node]
        if any((item.binding.node, item.binding.name) == (node, name) for item in self.findings):
            return
        binding = Binding(value, node, found.kind, name)
        self.findings.append(AdoptionFinding(binding, found.title or found.kind, how))
        if not isinstance(found.inputs.get(name), Literal):
            self.put(node, name, sample)

    def rename(self, value: str, other: str, nodes: Collection[str]) -> None:
        """Bind ``other`` in place of ``value`` to the inputs of ``nodes``."""
        self.findings = [
            replace(row, binding=replace(row.binding, value=other))
            if row.binding.value == value and row.binding.node in nodes
            else row
            for row in self.findings
        ]

    def put(self, node: str, name: str, value: object) -> None:
        """Write a literal ``value`` into an input."""
        changed = self.graph.nodes[node].with_input(name, Literal.of(value))
        self.graph = self.graph.with_nodes(changed)

    def prune(self) -> None:
        """Drop what the output no longer needs, and what was found there."""
        self.graph = self.graph.pruned(self.output)
        self.findings = [row for row in self.findings if row.binding.node in self.graph.nodes]

    def notice(self, code: str, **data: Scalar) -> None:
        """Remember something to tell."""
        self.notices.append(AdoptionNotice(code, data))
