"""What every chat platform promises, as records: who does what, and what is then to be seen.

Each front's tests play the same scenarios on a :class:`Stage` of their platform.
"""

from dataclasses import dataclass

from core.domain.followups import Action
from core.domain.modes import Mode
from tests.support.platforms.stage import Stage
from tests.support.platforms.steps import (
    ANN,
    BEN,
    OPERATOR,
    Ask,
    Block,
    Clip,
    Clips,
    Command,
    Confirm,
    FailNext,
    Gone,
    Hold,
    Leave,
    LoseAnswer,
    Press,
    Refused,
    Release,
    Repeat,
    Restart,
    Running,
    Says,
    Step,
    Told,
    Unspent,
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A short story; its name says what it shows."""

    name: str
    steps: tuple[Step, ...]


async def play(scenario: Scenario, stage: Stage) -> None:
    """Play ``scenario``; every step that does not come true in time fails.

    Raises:
        AssertionError: something else is to be seen than the scenario says.
        TimeoutError: something is never seen.
    """
    for step in scenario.steps:
        await step.play(stage)


SCENARIOS: tuple[Scenario, ...] = (
    *(
        Scenario(
            f"{mode} ends in one video for its owner",
            (Ask("one", mode=mode), Clip("one", ANN, mode), Clips(1)),
        )
        for mode in Mode
    ),
    Scenario(
        "the same event twice is one video",
        (Hold(), Ask("one"), Running("one"), Repeat("one"), Release(), Clip("one"), Clips(1)),
    ),
    Scenario(
        "a queued job is cancelled",
        (
            Hold(),
            Ask("one"),
            Running("one"),
            Ask("two", BEN),
            Press("two", Action.CANCEL, BEN),
            Says("two", "Cancelled"),
            Unspent(BEN),
            Release(),
            Clip("one"),
            Clips(1),
        ),
    ),
    Scenario(
        "a running job is cancelled",
        (
            Hold(),
            Ask("one"),
            Running("one"),
            Press("one", Action.CANCEL),
            Says("one", "Cancelled"),
            Clips(0),
        ),
    ),
    Scenario(
        "only the owner and operators cancel",
        (
            Hold(),
            Ask("one"),
            Running("one"),
            Press("one", Action.CANCEL, BEN),
            Told("belongs to somebody else", BEN),
            Press("one", Action.CANCEL, OPERATOR),
            Says("one", "Cancelled by the operator"),
            Clips(0),
        ),
    ),
    Scenario(
        "again makes another take",
        (Ask("one"), Clip("one"), Press("one", Action.AGAIN, as_="two"), Clip("two"), Clips(2)),
    ),
    Scenario(
        "longer gives one film of both",
        (
            Ask("one"),
            Clip("one"),
            Press("one", Action.LONGER, as_="two"),
            Clip("two", mode=Mode.EXTEND),
            Clips(2),
        ),
    ),
    Scenario(
        "a failure is told in the same message",
        (FailNext(), Ask("one"), Says("one", "Memory ran out"), Clips(0), Unspent()),
    ),
    Scenario(
        "kill and restart: one message",
        (Hold(), Ask("one"), Running("one"), Restart(), Release(), Clip("one"), Clips(1)),
    ),
    Scenario(
        "a queued job survives a restart",
        (
            Hold(),
            Ask("one"),
            Running("one"),
            Ask("two", BEN),
            Restart(),
            Release(),
            Clip("one"),
            Clip("two", BEN),
            Clips(2),
        ),
    ),
    Scenario(
        "buttons work after a restart",
        (
            Ask("one"),
            Clip("one"),
            Restart(),
            Press("one", Action.AGAIN, as_="two"),
            Clip("two"),
            Clips(2),
        ),
    ),
    Scenario(
        "a lost answer makes no second video",
        (LoseAnswer(), Ask("one"), Clip("one"), Clips(1)),
    ),
    Scenario(
        "delete takes the message away",
        (Ask("one"), Clip("one"), Press("one", Action.DELETE), Gone("one"), Clips(0)),
    ),
    Scenario(
        "who has no GPU time left is told before any work",
        (Leave(1), Refused("GPU time"), Ask("one", BEN), Clip("one", BEN), Clips(1)),
    ),
    Scenario(
        "a blocked person is told why, and nobody else is",
        (Block(ANN, "too many kites"), Refused("too many kites"), Ask("one", BEN), Clips(1)),
    ),
    Scenario(
        "the rules of a place hold for everybody there until they are lifted",
        (
            Command("set", "admin policy", OPERATOR, (("rule", "modes"), ("value", "i2v"))),
            Says("set", "i2v"),
            Refused("only some modes are open"),
            Refused("only some modes are open", BEN),
            Ask("one", mode=Mode.I2V),
            Clip("one", mode=Mode.I2V),
            Command("lift", "admin policy", OPERATOR, (("rule", "modes"), ("value", "none"))),
            Says("lift", "has no rules"),
            Ask("two"),
            Clip("two"),
            Clips(2),
        ),
    ),
    Scenario(
        "while paused nothing is accepted, and what runs is finished",
        (
            Hold(),
            Ask("one"),
            Running("one"),
            Command("pause", "admin pause", OPERATOR),
            Says("pause", "paused"),
            Refused("not accepted"),
            Release(),
            Clip("one"),
            Command("resume", "admin resume", OPERATOR),
            Says("resume", "open"),
            Ask("two", BEN),
            Clip("two", BEN),
            Clips(2),
        ),
    ),
    Scenario(
        "only operators operate",
        (
            Command("pause", "admin pause"),
            Says("pause", "Only operators"),
            Ask("one"),
            Clip("one"),
            Clips(1),
        ),
    ),
    Scenario(
        "deleting and history are one's own",
        (
            Ask("one"),
            Clip("one"),
            Press("one", Action.DELETE, BEN),
            Told("belongs to somebody else", BEN),
            Command("mine", "history"),
            Says("mine", "Text to video"),
            Command("theirs", "history", BEN),
            Says("theirs", "Nothing here yet"),
            Clips(1),
        ),
    ),
    Scenario(
        "forgetting takes the history along, for who asked alone",
        (
            Ask("one"),
            Clip("one"),
            Ask("two", BEN),
            Clip("two", BEN),
            Command("sure", "forget"),
            Confirm("sure"),
            Told("Done: 1 job"),
            Command("mine", "history"),
            Says("mine", "Nothing here yet"),
            Command("theirs", "history", BEN),
            Says("theirs", "Text to video"),
        ),
    ),
    Scenario(
        "what is in line and what is left is told at any time",
        (
            Hold(),
            Ask("one"),
            Running("one"),
            Command("line", "queue"),
            Says("line", "Running: Text to video"),
            Command("left", "quota"),
            Says("left", "GPU time left"),
            Press("one", Action.CANCEL),
            Says("one", "Cancelled by the owner"),
            Clips(0),
        ),
    ),
)
