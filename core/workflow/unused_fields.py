"""Tell what of a request the graph of a workflow has no use for."""

from dataclasses import fields

from core.domain.modes import MODES
from core.domain.options import KEPT
from core.domain.requests import Sampling
from core.workflow.library import Workflow
from core.workflow.values import FIELDS


def unbound_fields(workflow: Workflow) -> list[str]:
    """Return what of a request goes nowhere in ``workflow``: names of fields, roles of files."""
    bound = {binding.value for binding in workflow.bindings.values}
    asked = {"prompt", *(item.name for item in fields(Sampling))}
    asked -= {option.name for option in KEPT if not option.offered_in(workflow.mode)}
    if workflow.custom:  # steps, guidance and the like stay as their owner set them
        asked -= {"preset", *(option.name for option in KEPT)}
    lacking = [name for name in sorted(asked) if not bound.intersection(FIELDS.get(name, ()))]
    roles = [slot.role for slot in MODES[workflow.mode].slots if slot.role not in bound]
    # twice as many frames take the same inputs as the frame rate, so one of the two is told
    return [name for name in [*lacking, *roles] if name != "doubled" or "fps" not in lacking]


def idle_options(workflow: Workflow) -> list[str]:
    """Return the names of the options of the mode that the graph of ``workflow`` has no use for."""
    bound = {binding.value for binding in workflow.bindings.values}
    offered = (option for option in KEPT if option.offered_in(workflow.mode))
    return [option.name for option in offered if not bound & {*FIELDS[option.name]}]
