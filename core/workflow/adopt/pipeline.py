"""Adopt an export as a workflow of the library: the order of the steps, and saving the result."""

import json
import os
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType

from core.domain.dimensions import SIDE_MULTIPLE
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS
from core.models.catalog import FAMILY
from core.runtime.atomic_files import only_writer_of, whole_file
from core.runtime.paths import readable
from core.workflow.adopt.base_models import refuse_later_models
from core.workflow.adopt.decoded_frames import fit_frames
from core.workflow.adopt.findings import Adoption, AdoptionDraft, EvidenceKind
from core.workflow.adopt.given_sound import carries_given, hear_whole
from core.workflow.adopt.latent_upscalers import refuse_longer_latents, upscalers_of
from core.workflow.adopt.loaders import find_media
from core.workflow.adopt.loras import refuse_loras
from core.workflow.adopt.numbers import find_numbers
from core.workflow.adopt.output import begin_draft, crop_to_size, fill_defaults, is_cropped
from core.workflow.adopt.prompts import find_prompts
from core.workflow.adopt.proof import prove_reach
from core.workflow.adopt.stages import stages_of
from core.workflow.adopt.switches import fold
from core.workflow.adopt.variants import variants
from core.workflow.bindings import Bindings, dump_bindings
from core.workflow.errors import NotAdoptable, WorkflowNotKept, WorkflowPlaceForeign
from core.workflow.graph import Graph
from core.workflow.library import WORKFLOWS, Workflow, paths_of
from core.workflow.model_files import with_own_separators
from core.workflow.unused_fields import idle_options, unbound_fields
from core.workflow.validation import defects, unknown_kinds, widened


def adopt(
    graph: Graph,
    mode: Mode,
    loras: Path | None = None,
    output: str = "",
    *,
    newer: bool = False,
) -> Adoption:
    """Turn ``graph`` into a workflow of ``mode``.

    Switches and bypasses are used as they stand where the mode's files then reach the clip, else
    set so that they do.

    Args:
        graph: an export in API format, of any node packs.
        mode: what it is for; its files must be those that the graph loads.
        loras: the folder where the LoRAs that it names may lie, to read their headers.
        output: the node that saves the clip, where several do; "" finds it.
        newer: the ComfyUI that will run it came after the pinned one, and knows more models.

    Returns:
        The workflow and everything to tell; nothing is written yet.

    Raises:
        ModelTooNew: its model came after the ComfyUI that will run it.
        NotAdoptable: something that the mode needs is not in the graph, or would change nothing.
    """
    if MODES[mode].continues:  # what is shown of a film is bound to its own graph
        raise NotAdoptable(mode, "continues_film")
    problems: list[NotAdoptable] = []
    for variant, settings in variants(graph, mode):
        try:
            draft = begin_draft(fold(variant), mode, output)
            draft.loras, draft.newer = loras, newer
            for setting in settings:
                data = {"node": setting.place.node, "title": setting.title}
                draft.notice("adopt_switched", **data, value=str(setting.other).lower())
            return _adopt(draft)
        except NotAdoptable as found:
            problems.append(found)
    raise problems[0]  # of the graph as it stands


def _adopt(draft: AdoptionDraft) -> Adoption:
    refuse_later_models(draft)
    refuse_longer_latents(draft)
    fill_defaults(draft)
    draft.graph = draft.graph.with_nodes(*map(with_own_separators, draft.graph.nodes.values()))
    fitted = fit_frames(draft)
    canvas = _canvas(draft)
    if not fitted and (canvas > SIDE_MULTIPLE or is_cropped(draft)):
        crop_to_size(draft)
    refuse_loras(draft)
    find_prompts(draft)
    find_numbers(draft)
    find_media(draft)
    hear_whole(draft)
    draft.take("job", draft.output, "job", EvidenceKind.CLASS)
    draft.prune()
    prove_reach(draft)
    for pack, kinds in _packs(draft.graph).items():
        draft.notice("adopt_pack" if pack else "adopt_unknown", pack=pack, classes=kinds)
    workflow = _workflow(draft, canvas)
    if not carries_given(workflow):
        draft.notice("adopt_sound_own")
    idle = idle_options(workflow)
    if idle:
        draft.notice("adopt_options_idle", options=", ".join(OPTIONS[name].typed for name in idle))
    for item in widened(draft.graph):
        facts = {"node": item.node, "input": item.name, "value": item.detail}
        draft.notice("adopt_listed", title=draft.graph.nodes[item.node].title, **facts)
    _require_sound(workflow)
    return Adoption(workflow, tuple(draft.findings), tuple(draft.notices))


def _require_sound(workflow: Workflow) -> None:
    """Refuse a graph that has no use for what a request says, or that ComfyUI would refuse.

    Raises:
        NotAdoptable: with what, or why.
    """
    unasked = unbound_fields(workflow)
    if unasked == ["fps"]:
        raise NotAdoptable(workflow.mode, "no_rate")
    if unasked:
        raise NotAdoptable(workflow.mode, "nothing_takes", f": {', '.join(unasked)}")
    found = defects(workflow)
    if found:
        detail = "; ".join(str(defect) for defect in found[:5])
        raise NotAdoptable(workflow.mode, "does_not_validate", f": {detail}")


def check_place(mode: Mode, folder: Path, export: Path) -> None:
    """Refuse to write over files that :func:`save_adoption` did not write, ``export`` first of all.

    Raises:
        WorkflowPlaceForeign: such a file lies where the workflow of ``mode`` would.
    """
    places = paths_of(mode, folder)
    taken = [path for path in places if os.path.lexists(path)]
    for path in taken:
        if path.exists() and path.samefile(export):
            raise WorkflowPlaceForeign(readable(path))
    if taken and not _kept_here(places):
        raise WorkflowPlaceForeign(readable(taken[0]))


def _kept_here(places: tuple[Path, Path]) -> bool:
    """Tell whether an adoption wrote there: it leaves bindings, and the project's stay."""
    bindings = places[1]
    return bindings.is_file() and not bindings.parent.samefile(WORKFLOWS)


def save_adoption(workflow: Workflow, folder: Path) -> None:
    """Write ``workflow`` into ``folder``; ``load`` uses it from then on.

    Raises:
        WorkflowNotKept: the folder cannot be written; what was kept before is untouched.
    """
    prompt = json.dumps(workflow.graph.to_prompt(), ensure_ascii=False, indent=2)
    remark = "Which inputs of the adopted workflow a request fills."
    texts = prompt + "\n", dump_bindings(workflow.bindings, remark)
    paths = paths_of(workflow.mode, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with only_writer_of(paths[0]), ExitStack() as whole:
            parts = [whole.enter_context(whole_file(path)) for path in reversed(paths)]
            for part, text in zip(reversed(parts), texts, strict=True):
                part.write_text(text, "utf-8")
            # a graph is never used with the bindings of another one, whenever this process ends
            paths[1].unlink(missing_ok=True)
    except OSError as error:
        raise WorkflowNotKept(str(folder), error.strerror or "") from None


def remove_adoption(mode: Mode, folder: Path) -> bool:
    """Remove the adopted workflow of ``mode`` from ``folder``; return whether there was one.

    Raises:
        WorkflowPlaceForeign: what lies there was not adopted.
    """
    places = paths_of(mode, folder)
    found = [path for path in places if path.is_file()]
    if found and not _kept_here(places):
        raise WorkflowPlaceForeign(readable(found[0]))
    for path in found:
        path.unlink()
    return bool(found)


def _canvas(draft: AdoptionDraft) -> int:
    """Return the side multiple, px: a guide at half of half the size needs whole latents too."""
    kinds = {node.kind for node in draft.graph.nodes.values()}
    halved = upscalers_of(draft.graph) and kinds & FAMILY.nodes.control
    return SIDE_MULTIPLE * 2 if halved else SIDE_MULTIPLE


def _workflow(draft: AdoptionDraft, canvas: int) -> Workflow:
    bindings = Bindings(
        output=draft.output,
        values=tuple(row.binding for row in draft.findings),
        stages=MappingProxyType(stages_of(draft)),
        canvas=canvas,
        whole_sound=draft.whole_sound,
    )
    return Workflow(draft.mode, draft.graph, bindings, custom=True)


def _packs(graph: Graph) -> dict[str, str]:
    packs: dict[str, list[str]] = {}
    for kind, pack in unknown_kinds(graph).items():
        packs.setdefault(pack, []).append(kind)
    return {pack: ", ".join(kinds) for pack, kinds in packs.items()}
