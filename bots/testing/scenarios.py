"""What every chat platform promises, as records: who does what, and what is then to be seen.

Each front's tests play the same scenarios on a :class:`Stage` of their platform.
"""

from dataclasses import dataclass

from bots.testing.steps import (
    ANN,
    BEN,
    OPERATOR,
    Ask,
    Clip,
    Clips,
    FailNext,
    Gone,
    Hold,
    LoseAnswer,
    Press,
    Release,
    Repeat,
    Restart,
    Running,
    Says,
    Stage,
    Step,
    Told,
)
from core.actions import Action
from core.modes import Mode


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
            Ask("two"),
            Press("two", Action.CANCEL),
            Says("two", "Cancelled"),
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
        "longer goes on from the last frame",
        (
            Ask("one"),
            Clip("one"),
            Press("one", Action.LONGER, as_="two"),
            Clip("two", mode=Mode.I2V),
            Clips(2),
        ),
    ),
    Scenario(
        "a failure is told in the same message",
        (FailNext(), Ask("one"), Says("one", "out of memory"), Clips(0)),
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
)
