"""Bind the loaders of a foreign graph to the files of a request."""

import re

from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from core.workflow.adopt.findings import AdoptionDraft, EvidenceKind
from core.workflow.errors import NotAdoptable
from core.workflow.graph import Graph, Link, Literal, Node
from core.workflow.library import load

_LOADERS: dict[MediaKind, dict[str, str]] = {
    MediaKind.IMAGE: {"LoadImage": "image"},
    MediaKind.AUDIO: {
        "LoadAudio": "audio",
        "VHS_LoadAudioUpload": "audio",
        "VHS_LoadAudio": "audio_file",
    },
    MediaKind.VIDEO: {"LoadVideo": "file", "VHS_LoadVideo": "video", "VHS_LoadVideoPath": "video"},
}
_FIRST = re.compile(r"first|start|begin", re.IGNORECASE)
_LAST = re.compile(r"last|end|final", re.IGNORECASE)
_GUIDE_IMAGE = re.compile(r"(.*\b)image(_\d+)?$")


def find_media(draft: AdoptionDraft) -> None:
    """Bind each file of the mode to the loader that the output depends on.

    Raises:
        NotAdoptable: a loader is missing, or there is one that the mode has no file for.
    """
    for kind in MediaKind:
        loaders = [node for node in draft.graph.nodes.values() if node.kind in _LOADERS[kind]]
        roles = _roles(draft.mode, kind, len(loaders))
        if len(loaders) < len(roles):
            raise NotAdoptable(draft.mode, f"no_{kind}_loader")
        if len(loaders) > len(roles):
            titles = ", ".join(f"{node.id} {node.title}".strip() for node in loaders)
            raise NotAdoptable(draft.mode, f"extra_{kind}_loader", f": {titles}")
        for role, (node, how) in zip(roles, _ordered(draft.graph, loaders), strict=True):
            draft.take(role, node.id, _LOADERS[kind][node.kind], how, "")


def _roles(mode: Mode, kind: MediaKind, loaders: int) -> list[str]:
    """Return the role for each of as many ``loaders``, or those that a graph of ``mode`` must have.

    A file may go to several loaders where it does so in the project's own graph, such as one
    picture that is the first frame and the last.
    """
    roles = list(MODES[mode].roles(kind))
    if kind is MediaKind.AUDIO and not roles:
        videos = MODES[mode].roles(MediaKind.VIDEO)
        return list(videos[:1] * loaders)  # the sound of the source video
    if loaders <= len(roles):
        return roles
    bound = load(mode, None).bindings  # of whose bindings some may go to other nodes than loaders
    targets = [(role, target.kind) for role in roles for target in bound.named(role)]
    shared = [role for role, target in targets if target in _LOADERS[kind]]
    return shared if loaders == len(shared) else roles


def _ordered(graph: Graph, loaders: list[Node]) -> list[tuple[Node, EvidenceKind]]:
    """Order ``loaders`` from the first frame's to the last frame's, with the evidence for it."""
    if len(loaders) < 2:
        return [(node, EvidenceKind.CLASS) for node in loaders]
    places = _places(graph, {node.id for node in loaders})
    if len({places.get(node.id) for node in loaders}) == len(loaders):
        return [
            (node, EvidenceKind.LINK)
            for node in sorted(loaders, key=lambda node: _moment(places.get(node.id, 0)))
        ]
    return [(node, EvidenceKind.TITLE) for node in sorted(loaders, key=_title_order)]


def _moment(frame: int) -> tuple[bool, int]:
    """Return a key in the order of time: -1 is the last frame, after any counted from the start."""
    return frame < 0, frame


def _title_order(node: Node) -> tuple[int, str]:
    rank = 0 if _FIRST.search(node.title) else 2 if _LAST.search(node.title) else 1
    return rank, node.title


def _places(graph: Graph, loaders: set[str]) -> dict[str, int]:
    """Return the frame at which each loader's picture guides the video."""
    places: dict[str, int] = {}
    for node in graph.nodes.values():
        for name, link in node.links():
            index = _index(node, name)
            if index is None:
                continue
            for loader in loaders & graph.upstream(link.node):
                places.setdefault(loader, index)
    return places


def _index(node: Node, name: str) -> int | None:
    """Return the frame that the picture at the input ``name`` guides, None for other inputs."""
    match = _GUIDE_IMAGE.fullmatch(name)
    if match is None:
        return None
    if node.kind in {"LTXVImgToVideoInplace", "LTXVImgToVideoConditionOnly", "LTXVImgToVideo"}:
        return 0
    value = node.inputs.get(f"{match[1]}frame_idx{match[2] or ''}")
    if isinstance(value, Link) or not isinstance(value, Literal):
        return None
    return value.value if isinstance(value.value, int) else None
