"""What a foreign graph does with a given sound: what the model hears, what the clip carries."""

from collections.abc import Iterator

from core.domain.media import MediaKind
from core.domain.modes import MODES
from core.workflow.adopt.findings import AdoptionDraft
from core.workflow.adopt.link_types import LinkTypes
from core.workflow.adopt.report import describe_nodes
from core.workflow.graph import Graph, Link, Node
from core.workflow.library import Workflow
from core.workflow.node_schema import known_nodes

# Nodes that give as many samples as they take, and begin where it begins: class to its sound.
_AS_LONG = {
    "TrimAudioDuration": "audio",  # from 0 on, and as long as the clip: see numbers.py
    "AudioAdjustVolume": "audio",
    "AudioEqualizer3Band": "audio",
    "ClapperSoundNoise": "audio",
    "PreviewAudio": "audio",
}
_CARRY = {"AUDIO", "LATENT"}


def hear_whole(draft: AdoptionDraft) -> None:
    """Let the model hear a given sound from its first sample on, where the graph freezes it.

    ComfyUI cuts a sound to whole blocks before it encodes it, half of the rest at the beginning
    (:mod:`core.workflow.heard_sound`), so what is staged, and what cuts it, must be whole blocks.
    A graph that does something else with the sound before keeps its shift, and that is told.
    """
    loaders = _loaders(draft)
    encoders = list(_encoders(draft.graph, loaders))
    ways = [_way(draft.graph, link, loaders) for link in encoders]
    if not encoders:
        return
    passed = {node.id: node for way in ways for node in way}
    strange = [node for node in passed.values() if not _keeps_length(draft, node, loaders)]
    if strange:
        draft.notice("adopt_sound_shifted", nodes=describe_nodes(strange))
        return
    draft.whole_sound = True
    draft.rename("seconds", "heard_seconds", passed)


def carries_given(workflow: Workflow) -> bool:
    """Tell whether the sound that the graph of ``workflow`` ends with is the one it is given.

    Also where there is none at its end. A graph that only takes a voice as a model for new speech
    ends with a sound of its own.
    """
    graph = workflow.graph
    roles = MODES[workflow.mode].roles(MediaKind.AUDIO)
    loaders = {item.node for role in roles for item in workflow.bindings.named(role)}
    end = dict(graph.nodes[workflow.bindings.output].links()).get("audio")
    return end is None or not loaders or bool(loaders & _carried(graph, end))


def _carried(graph: Graph, end: Link) -> set[str]:
    """Return every node whose samples or latents are a part of what ``end`` gives."""
    types, found, waiting = LinkTypes(graph), set[str](), [end]
    while waiting:
        link = waiting.pop()
        if link.node in found or link.node not in graph.nodes:
            continue
        found.add(link.node)
        node = graph.nodes[link.node]
        for name, behind in node.links():
            if types.type_at(node, name, behind) in _CARRY:
                waiting.append(behind)
    return found


def _loaders(draft: AdoptionDraft) -> set[str]:
    roles = MODES[draft.mode].roles(MediaKind.AUDIO)
    return {row.binding.node for row in draft.findings if row.binding.value in roles}


def _encoders(graph: Graph, loaders: set[str]) -> Iterator[Link]:
    """Yield the sound that each node takes which makes latents of a given one."""
    types = LinkTypes(graph)
    for node in graph.nodes.values():
        for name, link in node.links():
            heard = types.type_at(node, name, link) == "AUDIO" and types.outputs(node, "LATENT")
            if heard and graph.upstream(link.node) & loaders:
                yield link


def _way(graph: Graph, link: Link, loaders: set[str]) -> list[Node]:
    """Return the nodes from what is encoded back to what is loaded, or to the first strange one."""
    way: list[Node] = []
    while link.node in graph.nodes:
        node = graph.nodes[link.node]
        way.append(node)
        sound = dict(node.links()).get(_AS_LONG.get(node.kind, ""))
        if node.id in loaders or sound is None:
            break
        link = sound
    return way


def _keeps_length(draft: AdoptionDraft, node: Node, loaders: set[str]) -> bool:
    """Tell whether ``node`` hands on all of the sound, or as much as the clip is long."""
    if node.id in loaders or node.kind in _AS_LONG:
        spec = known_nodes().get(node.kind)
        cuts = "duration" in node.inputs or (spec is not None and "duration" in spec.inputs)
        bound = {row.binding.node for row in draft.findings if row.binding.value == "seconds"}
        return not cuts or node.id in bound
    return False
