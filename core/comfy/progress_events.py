"""Translate ComfyUI's events about nodes into the stages that people read."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from core.domain.progress import Stage, Working

_ORDER = {stage: index for index, stage in enumerate(Stage)}
# ComfyUI chooses the order of nodes. These may take turns; a later stage is never left again, but
# a small node of an earlier one may still run (loading the upscaler, taking latents apart).
_FIRST = {Stage.DOWNLOAD, Stage.START, Stage.LOAD, Stage.TEXT, Stage.PREPARE}


class StageRelay:
    """Follows one run: its stage, how far it is, and the seconds of each stage.

    Called on the executor's thread. The fraction never goes back, whatever the order of nodes.
    """

    def __init__(
        self,
        stages: Mapping[str, Stage],
        shares: Mapping[Stage, float],
        emit: Callable[[Working], None],
    ) -> None:
        """Follow a graph.

        Args:
            stages: stage by node id.
            shares: expected part of the whole job by stage; they sum to at most 1.
            emit: gets the events; must not block.
        """
        self._stages = stages
        self._shares = shares
        self._emit = emit
        self._node: str | None = None
        self._since = time.perf_counter()
        self._spent: dict[str, float] = {}
        self._last: Working | None = None

    def take(self, event: str, data: Mapping[str, Any]) -> None:
        """Take in one event of ComfyUI."""
        if event != "progress_state":
            return
        for node, state in data["nodes"].items():
            if state["state"] == "running":
                self._enter(node)
                self._report(node, int(state["value"]), int(state["max"]))

    def finish(self) -> None:
        """End the last stage: the run is over."""
        self._enter(None)

    def seconds(self) -> dict[Stage, float]:
        """Return what each stage took so far, in seconds."""
        found: dict[Stage, float] = {}
        for node, spent in self._spent.items():
            stage = self._stages.get(node, Stage.PREPARE)
            found[stage] = found.get(stage, 0.0) + spent
        return dict(sorted(found.items(), key=lambda item: _ORDER[item[0]]))

    def _enter(self, node: str | None) -> None:
        if node == self._node:
            return
        now = time.perf_counter()
        if self._node is not None:
            self._spent[self._node] = self._spent.get(self._node, 0.0) + now - self._since
        self._node, self._since = node, now

    def _report(self, node: str, done: int, total: int) -> None:
        stage = self._stages.get(node)
        if stage is None:
            return
        step, steps = (done, total) if total > 1 else (0, 1)
        last = self._last
        if last is not None and _adds_nothing(stage, total, last.stage):
            return
        before = sum(self._shares.get(item, 0.0) for item in Stage if _ORDER[item] < _ORDER[stage])
        fraction = min(before + self._shares.get(stage, 0.0) * step / steps, 1.0)
        fraction = max(fraction, last.fraction if last is not None else 0.0)
        event = Working(stage, step, steps, fraction)
        if event != last:
            self._last = event
            self._emit(event)


def _adds_nothing(stage: Stage, steps: int, last: Stage) -> bool:
    """Tell whether a node would show a step back, or reset the steps of its stage's sampler."""
    if stage is last:
        return steps <= 1
    return _ORDER[stage] < _ORDER[last] and last not in _FIRST
