"""Size, length, frame rate and seeds of a foreign graph."""

from core.models.catalog import FAMILY
from core.workflow.adopt.constants import constant, handed_on
from core.workflow.adopt.film_cuts import counted_at, free_given_film
from core.workflow.adopt.findings import AdoptionDraft, EvidenceKind
from core.workflow.adopt.latent_upscalers import upscalers_of
from core.workflow.adopt.link_types import LinkTypes, samplers_of
from core.workflow.adopt.links import NumberOrigin, number_at, origin_of
from core.workflow.errors import NotAdoptable
from core.workflow.graph import Graph, Input, Link, Literal, Node
from core.workflow.node_schema import known_nodes

_LENGTHS = ("length", "num_frames", "frames", "video_frames")  # of a node that begins a video
# Inputs that always mean the same: they get the exact value, whatever computed it before.
_EXACT: dict[tuple[str, str], tuple[str, object]] = {
    FAMILY.nodes.audio_latent: ("frames", 121),
    ("TrimAudioDuration", "duration"): ("seconds", 5.0),
    ("VHS_LoadAudioUpload", "duration"): ("seconds", 5.0),
    ("VHS_LoadVideo", "frame_load_cap"): ("frames", 121),
}
_RATES = {"frame_rate", "fps", "framerate", "force_rate", "video_fps"}
_SAMPLES: dict[str, object] = {"frames": 121, "fps": 24, "fps_exact": 24.0, "seconds": 5.0}
# The files come cut to what is used of them, so nothing is skipped once more.
_WHOLE: dict[tuple[str, str], object] = {
    ("TrimAudioDuration", "start_index"): 0.0,
    ("VHS_LoadAudioUpload", "start_time"): 0.0,
    ("VHS_LoadVideo", "skip_first_frames"): 0,
    ("VHS_LoadVideo", "select_every_nth"): 1,
}
_SIZE_INPUTS = {
    f"{prefix}{side}": side for prefix in ("", "resize_type.") for side in ("width", "height")
}
_CONSTANTS = {"INTConstant": "value", "PrimitiveInt": "value", "mxSlider": "Xi"}
_SEEDS = ("noise_seed", "seed")


def find_numbers(draft: AdoptionDraft) -> None:
    """Bind size, length, frame rate and seeds.

    Raises:
        NotAdoptable: the graph makes no latent video, or has no seed.
    """
    _free_last_frame(draft)
    full = _find_size(draft)
    for node in list(draft.graph.nodes.values()):
        for name in list(node.inputs):
            value, sample = _meaning(draft, node, name)
            if value:
                origin = draft.graph.nodes[node.id].inputs[name]
                draft.take(value, node.id, name, EvidenceKind.CLASS, sample)
                _take_beside(draft, value, origin)
                root = counted_at(draft.graph, origin) if value == "frames" else None
                if root is not None:
                    draft.take(value, root.node, root.name, EvidenceKind.LINK, sample)
        for (kind, name), whole in _WHOLE.items():
            if node.kind == kind and name in node.inputs:
                draft.put(node.id, name, whole)
    free_given_film(draft)
    _find_seeds(draft)
    draft.prune()
    _find_constants(draft, full)


def _free_last_frame(draft: AdoptionDraft) -> None:
    """Let a guide at the last frame of the owner's length stay at the last one of any length."""
    begun = [node for node in draft.graph.nodes.values() if makes_latents(draft.graph, node)]
    lengths = [node.inputs[name] for node in begun for name in _LENGTHS if name in node.inputs]
    last = {number - 1 for number in (constant(draft.graph, value) for value in lengths)
            if isinstance(number, int)}  # fmt: skip
    for node in list(draft.graph.nodes.values()):
        for name, value in node.inputs.items():
            at = constant(draft.graph, value) if "frame_idx" in name else None
            if at in last and at:
                draft.put(node.id, name, -1)


def makes_latents(graph: Graph, node: Node) -> bool:
    """Tell whether ``node`` begins a video: it gives latents of a size and a length."""
    sized = {"width", "height"} <= node.inputs.keys() and any(n in node.inputs for n in _LENGTHS)
    return sized and bool(LinkTypes(graph).outputs(node, "LATENT"))


def _meaning(draft: AdoptionDraft, node: Node, name: str) -> tuple[str, object]:
    """Return the value that an input takes whatever its graph, and one to write meanwhile."""
    if (node.kind, name) in _EXACT:
        return _EXACT[node.kind, name]
    if name in _LENGTHS and makes_latents(draft.graph, node):
        return "frames", _SAMPLES["frames"]
    if name not in _RATES:
        return "", None
    spec = known_nodes().get(node.kind)
    wanted = spec.input(name) if spec is not None else None
    now = constant(draft.graph, node.inputs[name])
    whole = wanted.type == "INT" if wanted is not None else isinstance(now, int)
    value = "fps" if whole else "fps_exact"
    return value, _SAMPLES[value]


def _take_beside(draft: AdoptionDraft, value: str, origin: Input) -> None:
    """Bind what else gets the number that ``origin`` gives, so that no old one is left."""
    if not isinstance(origin, Link):
        return
    same = _handing(draft.graph, origin)
    for node in list(draft.graph.nodes.values()):
        for name, link in node.links():
            if link in same and handed_on(node) != name:
                exact = _as_type(node, name, value)
                if exact:
                    draft.take(exact, node.id, name, EvidenceKind.LINK, _SAMPLES[exact])


def _handing(graph: Graph, link: Link) -> set[Link]:
    """Return the links that give the same number as ``link``: of nodes that only hand it on."""
    same = {link}
    node = graph.nodes.get(link.node)
    name = handed_on(node) if node is not None else None
    while node is not None and name is not None:
        inner = node.inputs.get(name)
        if not isinstance(inner, Link):
            break
        same.add(inner)
        node = graph.nodes.get(inner.node)
        name = handed_on(node) if node is not None else None
    return same


def _as_type(node: Node, name: str, value: str) -> str:
    """Return ``value`` as the input of a known class takes it; "" where it takes no such number."""
    spec = known_nodes().get(node.kind)
    wanted = spec.input(name) if spec is not None else None
    types = wanted.type.split(",") if wanted is not None else []
    if value in {"fps", "fps_exact"}:
        return "fps" if "INT" in types else "fps_exact" if "FLOAT" in types else ""
    return value if ("INT" if value == "frames" else "FLOAT") in types else ""


def _find_size(draft: AdoptionDraft) -> dict[str, float]:
    """Bind the latents' sides; return the sides of the finished clip as the file has them.

    Raises:
        NotAdoptable: the graph makes no latent video.
    """
    graph, full = draft.graph, dict[str, float]()
    upscalers = upscalers_of(graph)
    latents = [node for node in graph.nodes.values() if makes_latents(graph, node)]
    if not latents:
        raise NotAdoptable(draft.mode, "no_latent")
    roots: list[tuple[str, NumberOrigin]] = []
    for node in latents:
        half = node.id in graph.upstream(*upscalers)
        for side in ("width", "height"):
            root = origin_of(graph, node.inputs[side]) or NumberOrigin(node.id, side)
            share = root.factor * (2 if half else 1)  # of the clip's side at the root
            number = number_at(graph, root)
            if number is not None:
                full[side] = number * share
            if root.node != node.id:
                roots.append((side if share == 1 else f"half_{side}", root))
            draft.take(
                f"half_{side}" if half else f"canvas_{side}", node.id, side, EvidenceKind.LINK, 384
            )
    for value, root in roots:
        draft.take(value, root.node, root.name, EvidenceKind.LINK)
    return full


def _find_constants(draft: AdoptionDraft, full: dict[str, float]) -> None:
    """Bind what else has the clip's size, or half of it: by its value, or by a constant's title."""
    halves = bool(upscalers_of(draft.graph))
    for node in list(draft.graph.nodes.values()):
        for name, side in _SIZE_INPUTS.items():
            written = isinstance(node.inputs.get(name), Literal)
            linked = origin_of(draft.graph, node.inputs.get(name))
            root = NumberOrigin(node.id, name) if written else linked
            number = number_at(draft.graph, root) if root is not None else None
            if root is None or number is None or side not in full:
                continue
            if number == full[side]:
                draft.take(side, root.node, root.name, EvidenceKind.VALUE)
            elif halves and number * 2 == full[side]:
                draft.take(f"half_{side}", root.node, root.name, EvidenceKind.VALUE)
        title = node.title.strip().lower()
        if node.kind in _CONSTANTS and title in {"width", "height", "fps"}:
            draft.take(title, node.id, _CONSTANTS[node.kind], EvidenceKind.TITLE)


def _find_seeds(draft: AdoptionDraft) -> None:
    sources: list[tuple[Node, str]] = []
    for sampler in samplers_of(draft.graph):
        node, name = _seed_of(draft.graph, sampler)
        if name and (node, name) not in sources:
            sources.append((node, name))
    if not sources:
        raise NotAdoptable(draft.mode, "no_seed")
    for index, (node, name) in enumerate(sources):
        draft.take("stage2_seed" if index else "seed", node.id, name, EvidenceKind.LINK, 0)


def _seed_of(graph: Graph, sampler: Node) -> tuple[Node, str]:
    """Return the node that draws a sampler's noise and its input; "" where nothing has a seed."""
    types, node = LinkTypes(graph), sampler
    for _ in range(len(graph.nodes)):
        name = next((seed for seed in _SEEDS if seed in node.inputs), "")
        behind = [link for _, link in types.inputs(node, "NOISE") if types.of(link) == "NOISE"]
        if name or not behind:
            return node, name
        node = graph.nodes[behind[0].node]
    return sampler, ""
