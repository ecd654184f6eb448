"""The parts of the service that commands reach, whether it serves or was opened for one command."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.control.logs import RecentLines
from core.control.watch import WatchedDelivery
from core.domain.media import MediaFile
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.people import Caller
from core.domain.requests import Composition
from core.gate.nodes import GateNodes
from core.service.admission import FileAdmission
from core.service.cancellation import Cancellation
from core.service.operator_api import OperatorApi
from core.service.submission import Submission
from core.storage.job_queries import JobQueries

Compose = Callable[[Caller, Mode, Options, Mapping[str, MediaFile]], Awaitable[Composition]]


@dataclass(frozen=True, slots=True)
class SteeredService:
    """What :mod:`core.control.handlers` asks; ``operators`` acts in nobody's name yet."""

    operators: OperatorApi
    submission: Submission
    compose: Compose  # with the styles and defaults of all places
    admission: FileAdmission
    cancellation: Cancellation
    jobs: JobQueries
    machines: GateNodes
    check: Callable[[], Awaitable[list[str]]]  # what contradicts itself in the database
    troubles: Callable[[], Awaitable[tuple[str, ...]]]  # health checks that fail
    data_dir: Path
    version: str
    lines: RecentLines
    delivery: WatchedDelivery
    serving: bool = True
