"""Bind the loaders of a foreign graph to the files of a request."""

import re
from collections.abc import Mapping

from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS
from core.workflow.adopt.constants import constant
from core.workflow.adopt.findings import AdoptionDraft, EvidenceKind
from core.workflow.adopt.link_types import LinkTypes
from core.workflow.errors import NotAdoptable
from core.workflow.graph import Graph, Literal, Node
from core.workflow.library import load
from core.workflow.node_schema import OURS, known_nodes
from core.workflow.schema_drawing import FILE_INPUTS

_LOADERS: dict[MediaKind, dict[str, str]] = {
    MediaKind.IMAGE: {"LoadImage": "image"},
    MediaKind.AUDIO: {
        "LoadAudio": "audio",
        "VHS_LoadAudioUpload": "audio",
        "VHS_LoadAudio": "audio_file",
    },
    MediaKind.VIDEO: {"LoadVideo": "file", "VHS_LoadVideo": "video", "VHS_LoadVideoPath": "video"},
}
_SUFFIXES: dict[MediaKind, tuple[str, ...]] = {
    MediaKind.IMAGE: (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"),
    MediaKind.AUDIO: (".mp3", ".wav", ".flac", ".ogg", ".m4a", ".aac", ".opus"),
    MediaKind.VIDEO: (".mp4", ".webm", ".mov", ".mkv", ".avi"),
}
_GIVEN = {MediaKind.VIDEO: "VIDEO", MediaKind.AUDIO: "AUDIO", MediaKind.IMAGE: "IMAGE"}
_FIRST = re.compile(r"first|start|begin", re.IGNORECASE)
_LAST = re.compile(r"last|end|final", re.IGNORECASE)
_GUIDE_IMAGE = re.compile(r"(.*\b)image(_\d+)?$")


def find_media(draft: AdoptionDraft) -> None:
    """Bind each file of the mode to the loader that the output depends on.

    Raises:
        NotAdoptable: a loader is missing, or there is one that the mode has no file for.
    """
    for kind in MediaKind:
        loaders = loaders_of(draft.graph, kind)
        roles = _roles(draft.mode, kind, len(loaders))
        if len(loaders) < len(roles):
            raise NotAdoptable(draft.mode, f"no_{kind}_loader")
        if len(loaders) > len(roles):
            titles = ", ".join(f"{node.id} {node.title}".strip() for node in loaders)
            raise NotAdoptable(draft.mode, f"extra_{kind}_loader", f": {titles}")
        ordered = _ordered(draft.graph, loaders)
        for role, (node, how) in zip(roles, ordered, strict=True):
            draft.take(role, node.id, file_input(node, kind) or "", how, "")
        if kind is MediaKind.IMAGE and OPTIONS["times"].offered_in(draft.mode):
            _bind_times(
                draft, {node.id: role for role, (node, _) in zip(roles, ordered, strict=True)}
            )


def _bind_times(draft: AdoptionDraft, roles: Mapping[str, str]) -> None:
    """Bind the frame that each picture guides, for times that are typed; else it stays.

    Args:
        draft: whose pictures are bound.
        roles: of the loaders, by node.
    """
    for node in list(draft.graph.nodes.values()):
        for name, link in node.links():
            place = _frame_input(name)
            behind = roles.keys() & draft.graph.upstream(link.node)
            frame = constant(draft.graph, node.inputs.get(place))
            if len(behind) == 1 and isinstance(frame, int):
                role = roles[behind.pop()]
                draft.take(f"{role}_at", node.id, place, EvidenceKind.LINK, frame)


def loaders_of(graph: Graph, kind: MediaKind) -> list[Node]:
    """List the nodes that load a file of ``kind``."""
    return [node for node in graph.nodes.values() if file_input(node, kind) is not None]


def file_input(node: Node, kind: MediaKind) -> str | None:
    """Return the input in which ``node`` names a file of ``kind``; None where it loads none."""
    if node.kind in _LOADERS[kind]:
        return _LOADERS[kind][node.kind]
    if any(node.kind in named for named in _LOADERS.values()):
        return None
    spec = known_nodes().get(node.kind)
    if spec is None or spec.pack not in OURS:
        return next((name for name in node.inputs if _names_file(node, name, kind)), None)
    first = next((type_ for type_ in _GIVEN.values() if type_ in spec.outputs), "")
    files = [name for name in spec.inputs if name in FILE_INPUTS and spec.inputs[name].files]
    return files[0] if files and first == _GIVEN[kind] and files[0] in node.inputs else None


def _names_file(node: Node, name: str, kind: MediaKind) -> bool:
    value = node.inputs[name]
    text = value.value if isinstance(value, Literal) else None
    return isinstance(text, str) and text.lower().endswith(_SUFFIXES[kind])


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
            index = _index(graph, node, name)
            if index is None:
                continue
            for loader in loaders & graph.upstream(link.node):
                places.setdefault(loader, index)
    return places


def _frame_input(name: str) -> str:
    """Return the input that says which frame the picture at ``name`` guides; "" of other inputs."""
    match = _GUIDE_IMAGE.fullmatch(name)
    return f"{match[1]}frame_idx{match[2] or ''}" if match else ""


def _index(graph: Graph, node: Node, name: str) -> int | None:
    """Return the frame that the picture at the input ``name`` guides, None for other inputs."""
    place = _frame_input(name)
    if not place:
        named = re.search(r"image|frame|pic", name) and LinkTypes(graph)
        if not named or (name, "IMAGE") not in [(n, named.of(k)) for n, k in node.links()]:
            return None
        return 0 if _FIRST.search(name) else -1 if _LAST.search(name) else None
    value = constant(graph, node.inputs.get(place))
    if value is None and "ImgToVideo" in node.kind:
        return 0
    return value if isinstance(value, int) else None
