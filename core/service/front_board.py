"""Which fronts there should be, and which of them reach their platform now."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

ConnectionState: TypeAlias = Literal["waiting", "starting", "connected", "disconnected", "ended"]


class FrontBoard:
    """Written by who runs fronts and by the fronts; read by health and metrics."""

    def __init__(self) -> None:
        self._states: dict[str, ConnectionState] = {}

    @property
    def states(self) -> Mapping[str, ConnectionState]:
        """Return the state of each front that is configured."""
        return self._states

    def waits(self, name: str) -> None:
        """Note that a front is begun once its term is ours: another node may be running it."""
        self._states[name] = "waiting"

    def starts(self, name: str) -> None:
        """Note that a front was started and serves nobody yet."""
        self._states[name] = "starting"

    def note(self, name: str, state: ConnectionState) -> None:
        """Note that a front reached or lost its platform; one that ended stays so."""
        if self._states.get(name) in {"starting", "connected", "disconnected"}:
            self._states[name] = state

    def ended(self, name: str) -> None:
        """Note that a front is gone for good."""
        self._states[name] = "ended"
