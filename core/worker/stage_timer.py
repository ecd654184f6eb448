"""Time the stages of a run by the progress that it reports."""

from collections.abc import Callable, Container, Mapping

from core.domain.progress import Downloading, Progress, Stage, Working


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
        stage = Stage.DOWNLOAD if isinstance(event, Downloading) else None
        if isinstance(event, Working):
            stage = event.stage
        if stage is not None and stage is not self._stage:
            self._close()
            self._stage = stage

    def spent_in(self, stages: Container[Stage]) -> float:
        """Return the seconds spent in ``stages`` so far, the one that lasts included."""
        spent = sum(seconds for stage, seconds in self._spent.items() if stage in stages)
        lasting = self._stage is not None and self._stage in stages
        return spent + (self._clock() - self._began if lasting else 0.0)

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
