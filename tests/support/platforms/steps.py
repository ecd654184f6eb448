"""The steps of a scenario on a chat platform."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core.domain.followups import Action
from core.domain.modes import Mode
from core.errors import OutOfMemory

if TYPE_CHECKING:
    from tests.support.platforms.stage import Stage

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
class Refused:
    """Somebody asks for a clip in vain and is told why."""

    text: str
    who: str = ANN
    mode: Mode = Mode.T2V

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.refused(self)


@dataclass(frozen=True, slots=True)
class Command:
    """Somebody gives a command that makes no clip; ``as_`` names its answer.

    ``options`` are names and values, in the order in which they are typed where nothing is named.
    """

    as_: str
    name: str
    who: str = ANN
    options: tuple[tuple[str, str], ...] = ()

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.command(self)


@dataclass(frozen=True, slots=True)
class Confirm:
    """Somebody presses the only button under an answer."""

    of: str
    who: str = ANN

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.confirm(self.of, self.who)


@dataclass(frozen=True, slots=True)
class Leave:
    """Somebody has only so much GPU time left."""

    gpu_ms: int
    who: str = ANN

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.leave(self.who, self.gpu_ms)


@dataclass(frozen=True, slots=True)
class Block:
    """An operator blocks somebody."""

    who: str
    reason: str

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        await stage.block(OPERATOR, self.who, self.reason)


@dataclass(frozen=True, slots=True)
class Unspent:
    """Somebody has used no GPU time, and none is reserved."""

    who: str = ANN

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        found = await stage.spent(self.who)
        assert found == 0, (self, found)  # for tests


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
        assert found == (self.owner, self.mode), (self, found)  # for tests


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
        assert found == self.count, (self, found)  # for tests


class Step(Protocol):
    """One thing that somebody does, or that is to be seen."""

    async def play(self, stage: "Stage") -> None:
        """Do or see it."""
        ...
