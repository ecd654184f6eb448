"""What an editor file consists of: nodes with their sockets, and links between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

Entry: TypeAlias = Mapping[str, Any]  # a node, as untyped JSON from outside

MUTED, BYPASSED = 2, 4  # the editor's modes of a node
SUBGRAPH_INPUT, SUBGRAPH_OUTPUT = -10, -20  # ids of a subgraph's own ends


@dataclass(frozen=True, slots=True)
class EditorLink:
    """From output ``slot`` of ``origin`` to the input ``place`` of ``target``."""

    origin: int
    slot: int
    target: int
    place: int

    @property
    def target_input(self) -> tuple[int, int]:
        """Return the node and the input that it goes to."""
        return self.target, self.place


def entries(holder: Entry, key: str) -> list[Entry]:
    """Return what ``holder`` lists under ``key``, nothing where it has none."""
    return cast("list[Entry]", holder.get(key) or [])
