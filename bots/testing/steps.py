"""The steps of a scenario on a chat platform, and the stage on which a front's tests play them."""

from dataclasses import dataclass
from typing import Protocol

from core.actions import Action
from core.errors import OutOfMemory
from core.modes import Mode

ANN, BEN, OPERATOR = "ann", "ben", "operator"  # the stage knows their ids; one is an operator


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody asks for a clip; ``as_`` names the answer for later steps."""

    as_: str
    who: str = ANN
    mode: Mode = Mode.T2V

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.ask(self)


@dataclass(frozen=True, slots=True)
class Repeat:
    """The platform hands over the event behind an answer a second time."""

    of: str

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.repeat(self.of)


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody presses the button of an action under an answer."""

    of: str
    action: Action
    who: str = ANN
    as_: str = ""  # names the new answer, for actions that make a clip

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.press(self)


@dataclass(frozen=True, slots=True)
class Hold:
    """From now on jobs run but do not finish."""

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.hold()


@dataclass(frozen=True, slots=True)
class Release:
    """Jobs finish again."""

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.release()


@dataclass(frozen=True, slots=True)
class Running:
    """The job behind an answer has begun to run."""

    of: str

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.running(self.of)


@dataclass(frozen=True, slots=True)
class Restart:
    """The service stops without finishing what runs, and starts again."""

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.restart()


@dataclass(frozen=True, slots=True)
class FailNext:
    """The next job that finishes fails: out of memory."""

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.fail_next(OutOfMemory(256, 256, 25))


@dataclass(frozen=True, slots=True)
class LoseAnswer:
    """The platform stores the next upload but its answer is lost."""

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.lose_answer()


@dataclass(frozen=True, slots=True)
class Says:
    """An answer shows a text."""

    of: str
    text: str

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.says(self.of, self.text)


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody is told something outside of any answer."""

    text: str
    who: str = ANN

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.told(self.who, self.text)


@dataclass(frozen=True, slots=True)
class Clip:
    """An answer has become a clip that its job, mode and owner agree with."""

    of: str
    owner: str = ANN
    mode: Mode = Mode.T2V

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        found = await stage.clip(self.of)
        assert found == (self.owner, self.mode), (self, found)  # noqa: S101  # for tests


@dataclass(frozen=True, slots=True)
class Gone:
    """An answer is deleted."""

    of: str

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.gone(self.of)


@dataclass(frozen=True, slots=True)
class Clips:
    """So many messages show a clip, and no job is left."""

    count: int

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        found = await stage.clips()
        assert found == self.count, (self, found)  # noqa: S101  # for tests


class Step(Protocol):
    """One thing that somebody does, or that is to be seen."""

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        ...


class Stage(Protocol):
    """A platform with a running service, as the scenarios need it. Answers go by their names."""

    async def ask(self, step: Ask) -> None:
        """Let a person ask in the platform's most usual way, tiny and fast."""
        ...

    async def repeat(self, answer: str) -> None:
        """Hand over the same event again."""
        ...

    async def press(self, step: Press) -> None:
        """Press the button once it is there."""
        ...

    async def hold(self) -> None:
        """Let jobs stand still from now on."""
        ...

    async def release(self) -> None:
        """Let jobs finish again."""
        ...

    async def running(self, answer: str) -> None:
        """Return once the job behind the answer runs."""
        ...

    async def restart(self) -> None:
        """Stop the service at once, and start it again on the same data."""
        ...

    async def fail_next(self, error: Exception) -> None:
        """Let the next job fail with ``error``."""
        ...

    async def lose_answer(self) -> None:
        """Lose the platform's answer to the next upload of a clip."""
        ...

    async def says(self, answer: str, text: str) -> None:
        """Return once the answer shows ``text``."""
        ...

    async def told(self, who: str, text: str) -> None:
        """Return once somebody was told ``text``."""
        ...

    async def clip(self, answer: str) -> tuple[str, Mode]:
        """Return whose clip the answer shows by its provenance, and its mode."""
        ...

    async def gone(self, answer: str) -> None:
        """Return once the answer is deleted."""
        ...

    async def clips(self) -> int:
        """Return how many messages show a clip once nothing is running or owed."""
        ...
