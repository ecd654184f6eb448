"""What a terminal says of a request that was accepted."""

from core.cli.terminal import PlainConsole
from core.control.reports import GenerationAccepted
from core.i18n.messages import explain, say


def print_accepted(accepted: GenerationAccepted, console: PlainConsole) -> None:
    """Print what was changed, what will be made, and when it should be ready."""
    for adjustment in accepted.adjustments:
        words = explain(adjustment)
        console.print(words, style="yellow", soft_wrap=True)
    facts = {
        "mode": accepted.mode,
        "size": accepted.size,
        "seconds": accepted.seconds,
        "fps": accepted.fps,
        "seed": accepted.seed,
    }
    console.print(say("cli_accepted", facts), soft_wrap=True)
    if accepted.position is not None:
        line = {"position": accepted.position, "ready_in_s": accepted.ready_in_s}
        code = {0: "cli_begins", 1: "cli_next"}.get(accepted.position, "cli_position")
        console.print(say(code, line), soft_wrap=True)
