"""Find where a text that an encoder reads is typed, behind whatever its owner does with it."""

import re

from core.workflow.adopt.constants import Place, constant, primitive_input
from core.workflow.graph import Graph, Link, Node
from core.workflow.node_schema import ANY, known_nodes

_DEPTH = 20  # nodes behind each other; deeper is a circle
_PROMPT = re.compile(r"prompt", re.IGNORECASE)
_INSTRUCTION = re.compile(  # inputs of such nodes that are no part of the prompt
    r"system|instruct|preset|template|delimiter|separator|find|replace|regex|pattern|mode|model"
    r"|device|quanti|attention",
    re.IGNORECASE,
)
_TEXTS = {"STRING", "COMBO", ANY}  # outputs that a text may come from


def text_root(graph: Graph, place: Place) -> Place | None:
    """Return where the text at ``place`` is typed.

    Args:
        graph: of the encoder.
        place: the encoder's own input.

    Returns:
        ``place`` itself where the text is a constant; the root of the chain where nodes change it,
        such as one that writes a longer prompt; None where nothing tells which text is the prompt.
    """
    value = graph.nodes[place.node].inputs[place.name]
    if not isinstance(value, Link) or isinstance(constant(graph, value), str):
        return place
    found = list(dict.fromkeys(_typed(graph, value, 0)))
    named = [root for root in found if _says_prompt(graph, root)]
    chosen = found if len(found) == 1 else named
    return chosen[0] if len(chosen) == 1 else None


def _typed(graph: Graph, value: Link, depth: int) -> list[Place]:
    """List the inputs in which the texts behind ``value`` are typed."""
    node = graph.nodes.get(value.node)
    if node is None or depth > _DEPTH or not _gives_text(node, value.slot):
        return []
    own = primitive_input(node)
    names = [own] if own is not None else [name for name in node.inputs if _is_text(node, name)]
    found: list[Place] = []
    for name in names:
        given = node.inputs[name]
        if isinstance(given, Link):
            found += _typed(graph, given, depth + 1)
        elif isinstance(given.value, str):
            found.append(Place(node.id, name))
    return found


def _gives_text(node: Node, slot: int) -> bool:
    """Tell whether an output may be a text: words typed behind a picture are none of the prompt."""
    spec = known_nodes().get(node.kind)
    if spec is None or spec.open or not 0 <= slot < len(spec.outputs):
        return True
    return not _TEXTS.isdisjoint(spec.outputs[slot].split(","))


def _is_text(node: Node, name: str) -> bool:
    if _INSTRUCTION.search(name):
        return False
    spec = known_nodes().get(node.kind)
    if spec is not None and not spec.open:
        wanted = spec.input(name)
        return wanted is not None and wanted.type in {"STRING", "*"}
    value = node.inputs[name]
    return isinstance(value, Link) or isinstance(value.value, str)


def _says_prompt(graph: Graph, place: Place) -> bool:
    node = graph.nodes[place.node]
    return bool(_PROMPT.search(node.title) or _PROMPT.search(place.name))
