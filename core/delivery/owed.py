"""What a router works at: kinds of things that are owed, and one of them."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from core.interfaces.delivery import Delivery, Receipt
from core.storage.owed_rows import OwedRows

HandOver = Callable[[Delivery, Any], Coroutine[Any, Any, Receipt]]  # of a claim


@dataclass(frozen=True, slots=True)
class OwedItem:
    """One thing that is due on a platform."""

    key: str  # of its row; unique among all kinds
    rows: OwedRows
    hand_over: HandOver
    job_id: str = ""  # whose progress is not shown meanwhile; empty: of none


class OwedKind(Protocol):
    """Things of one kind that are owed."""

    @property
    def rows(self) -> OwedRows:
        """Return their rows."""
        ...

    async def due(self, platform: str, limit: int) -> list[OwedItem]:
        """List at most ``limit`` of them that are due on a platform, the longest overdue first."""
        ...
