"""Time the stages of a run by the progress that it reports."""

from collections.abc import Callable, Mapping

from core.domain.progress import Progress, Stage, Working


class StageTimer:
    """Measures the seconds of each stage by the progress events of one run."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """Measure with ``seconds``, a clock that only goes forward."""
        self._clock = seconds
        self._began = seconds()
        self._stage: Stage | None = None
        self._spent: dict[Stage, float] = {}

    def observe(self, event: Progress) -> None:
        """Start the stage of ``event``, ending the one before; ignore what is not work."""
        if isinstance(event, Working) and event.stage is not self._stage:
            self._close()
            self._stage = event.stage

    def stop(self) -> Mapping[Stage, float]:
        """End the last stage now, and return the seconds of each that was seen."""
        self._close()
        self._stage = None
        return dict(self._spent)

    def _close(self) -> None:
        now = self._clock()
        if self._stage is not None:
            self._spent[self._stage] = self._spent.get(self._stage, 0.0) + now - self._began
        self._began = now
