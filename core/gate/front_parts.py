"""What the gate needs of the front that it is on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from core.domain.jobs import Job
from core.domain.media import Clip
from core.gate.runs import GateRun
from core.interfaces.artefacts import Artefacts
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub

Find = Callable[[str], Awaitable[Job]]  # raises JobUnknown


@dataclass(frozen=True, slots=True)
class FrontParts:
    """The parts themselves, and what to call there."""

    find: Find
    artefacts: Artefacts
    hub: ProgressHub
    dispatcher: LocalDispatcher
    on_outcome: Callable[[], None]
    check_clip: Callable[[Clip], Awaitable[None]]  # raises MediaRefused
    clips_folder: Path
    record: Callable[[GateRun], Awaitable[None]]  # into the history of runs
