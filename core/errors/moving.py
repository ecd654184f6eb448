"""What can keep rows from being moved to another database, as data."""

from core.errors.base import SetupProblem


class SourceAbsent(SetupProblem):
    """There is no database of ours at ``path``."""

    path: str


class SourceNotDrained(SetupProblem):
    """Jobs were running, or deliveries under way, when the service ended."""

    running: int
    sending: int


class RowsContradict(SetupProblem):
    """Rows contradict each other in ``count`` places; ``first`` is one of them."""

    count: int
    first: str


class TargetTaken(SetupProblem):
    """``table`` of the target holds a row that the source does not have, or has otherwise."""

    table: str


class TargetInUse(SetupProblem):
    """A service of ours is connected to the target."""

    count: int


class RowNotMovable(SetupProblem):
    """The target does not take a row of ``table``; ``detail`` is what it says."""

    table: str
    detail: str
