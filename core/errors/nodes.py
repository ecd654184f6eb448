"""What keeps a node from its work among others."""

from core.errors.base import SetupProblem
from core.errors.refusals import Refused


class NodeNeedsServer(SetupProblem):
    """Several processes share rows only on a server of PostgreSQL; ``command`` was given."""

    command: str


class NodeNeedsSharedFiles(SetupProblem):
    """Fronts and workers are different processes, and clips lie where only one of them looks."""

    path: str


class WorkerHoldsSecrets(SetupProblem):
    """A worker's environment holds what only fronts need; ``names`` are the variables."""

    names: str


class NodeUnknown(Refused):
    """No node of that name lives that takes jobs."""

    name: str


class NoWorkerYet(Refused):
    """No worker has ever registered, so nobody knows what a request takes."""
