"""The parts of the service that commands reach, whether it serves or was opened for one command."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from core.control.logs import RecentLines
from core.control.watch import WatchedDelivery
from core.domain.limits import RequestLimits
from core.gate.nodes import GateNodes
from core.service.admission import FileAdmission
from core.service.cancellation import Cancellation
from core.service.operator_api import OperatorApi
from core.service.submission import Submission
from core.storage.job_queries import JobQueries


@dataclass(frozen=True, slots=True)
class SteeredService:
    """What :mod:`core.control.handlers` asks; ``operators`` acts in nobody's name yet."""

    operators: OperatorApi
    submission: Submission
    admission: FileAdmission
    cancellation: Cancellation
    jobs: JobQueries
    machines: GateNodes
    limits: RequestLimits
    check: Callable[[], Awaitable[list[str]]]  # what contradicts itself in the database
    troubles: Callable[[], Awaitable[tuple[str, ...]]]  # health checks that fail
    data_dir: Path
    version: str
    lines: RecentLines
    delivery: WatchedDelivery
    serving: bool = True
