"""Size, length, frame rate and seeds of a foreign graph."""

from core.workflow.adopt.findings import AdoptionDraft, EvidenceKind
from core.workflow.adopt.links import NumberOrigin, links_of, number_at, origin_of, samplers_of
from core.workflow.errors import NotAdoptable
from core.workflow.graph import Literal, Node

LATENTS = ("EmptyLTXVLatentVideo", "LTXVImgToVideo")
UPSCALER = "LTXVLatentUpsampler"
# Inputs that always mean the same: they get the exact value, whatever computed it before.
_EXACT: dict[tuple[str, str], tuple[str, object]] = {
    ("EmptyLTXVLatentVideo", "length"): ("frames", 121),
    ("LTXVImgToVideo", "length"): ("frames", 121),
    ("LTXVEmptyLatentAudio", "frames_number"): ("frames", 121),
    ("LTXVEmptyLatentAudio", "frame_rate"): ("fps", 24),
    ("LTXVConditioning", "frame_rate"): ("fps_exact", 24.0),
    ("TrimAudioDuration", "duration"): ("seconds", 5.0),
    ("VHS_LoadAudioUpload", "duration"): ("seconds", 5.0),
    ("VHS_LoadVideo", "force_rate"): ("fps_exact", 24.0),
    ("VHS_LoadVideo", "frame_load_cap"): ("frames", 121),
}
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
    full = _find_size(draft)
    for node in list(draft.graph.nodes.values()):
        for (kind, name), (value, sample) in _EXACT.items():
            if node.kind == kind and name in node.inputs:
                draft.take(value, node.id, name, EvidenceKind.CLASS, sample)
        for (kind, name), whole in _WHOLE.items():
            if node.kind == kind and name in node.inputs:
                draft.put(node.id, name, whole)
    _find_seeds(draft)
    draft.prune()
    _find_constants(draft, full)


def _find_size(draft: AdoptionDraft) -> dict[str, float]:
    """Bind the latents' sides; return the sides of the finished clip as the file has them.

    Raises:
        NotAdoptable: the graph makes no latent video.
    """
    graph, full = draft.graph, dict[str, float]()
    upscalers = [node.id for node in graph.nodes.values() if node.kind == UPSCALER]
    latents = [node for node in graph.nodes.values() if node.kind in LATENTS]
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
    halves = any(node.kind == UPSCALER for node in draft.graph.nodes.values())
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
        noise = links_of(sampler).get("noise")
        node = draft.graph.nodes[noise.node] if noise else sampler
        name = next((seed for seed in _SEEDS if seed in node.inputs), None)
        if name is not None and (node, name) not in sources:
            sources.append((node, name))
    if not sources:
        raise NotAdoptable(draft.mode, "no_seed")
    for index, (node, name) in enumerate(sources):
        draft.take("stage2_seed" if index else "seed", node.id, name, EvidenceKind.LINK, 0)
