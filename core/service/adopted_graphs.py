"""Say before a request is accepted what the graph that an operator adopted makes nothing of."""

from dataclasses import fields, replace
from pathlib import Path

from core.domain.adjustments import Adjustment
from core.domain.options import OPTIONS
from core.domain.requests import Composition, Request, Sampling
from core.errors import MediaUnexpected, SetupProblem
from core.workflow.library import Workflow, load
from core.workflow.unused_fields import idle_options


def judged_by_graph(composition: Composition, folder: Path | None) -> Composition:
    """Return ``composition`` with what somebody's own graph of its mode does not use of it.

    Reads the graph where one was adopted; blocks, so run it in a thread.

    Args:
        composition: within all limits.
        folder: of adopted workflows; None where none of them is used.

    Raises:
        MediaUnexpected: the graph takes fewer pictures.
    """
    try:
        workflow = load(composition.request.mode, folder)
    except SetupProblem:  # what lies there is no workflow any more: the job itself says so
        return composition
    if not workflow.custom:
        return composition
    request = composition.request
    for role in request.media():
        if not workflow.bindings.named(role):
            raise MediaUnexpected(request.mode, role)
    idle = _chosen_in_vain(workflow, request)
    if not idle:
        return composition
    told = Adjustment("options_idle", {"options": ", ".join(idle)})
    return replace(composition, adjustments=(*composition.adjustments, told))


def _chosen_in_vain(workflow: Workflow, request: Request) -> list[str]:
    """Return the options that were chosen and change nothing, as people type them."""
    usual = {item.name: item.default for item in fields(Sampling)}
    chosen = (
        OPTIONS[name]
        for name in idle_options(workflow)
        if getattr(request.sampling, name) != usual[name]
    )
    return [option.typed for option in chosen]
