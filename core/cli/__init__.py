"""The command line: one module per command group, mounted by core/cli/app.py.

Belongs here: options, tables, progress bars, exit codes. Never here: decisions that a chat or a
browser would have to make too; those are the service's.
"""

import gc
import io
import signal
import sys
from types import FrameType


def main() -> None:
    """Run ``clapper`` with the arguments of the process."""
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:  # while modules are imported there is nothing to tidy up, and nobody to tell
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    stdout, stderr = sys.stdout, sys.stderr
    if isinstance(stderr, io.TextIOWrapper):  # names may hold bytes that are no text
        stderr.reconfigure(errors="backslashreplace")
    from core.i18n.messages import explain, speak_in_terminal
    from core.settings.terminal_locale import terminal_locale

    speak_in_terminal(terminal_locale())  # before modules of commands say their help
    from core.cli.memory_limit import MemoryLimited, require_memory

    try:
        require_memory()
    except MemoryLimited as problem:
        stderr.write(explain(problem) + "\n")
        sys.exit(5)  # ExitStatus.SETUP; its module loads what gets no memory here
    from core.cli.supervised import run_supervised

    status = run_supervised(sys.argv[1:])
    if status is not None:
        sys.exit(status)

    from core.cli.terminal import StandardOutput

    if isinstance(stdout, io.TextIOWrapper):
        sys.stdout = StandardOutput.around(sys.stdout)
    gc.disable()  # what modules make stays: looking through it takes a quarter of the start
    from core.cli.app import APP

    gc.freeze()
    gc.enable()
    if interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _end_as_by_ctrl_c()
    APP(prog_name="clapper")


def _end_as_by_ctrl_c() -> None:
    """Let a command that is told to end, or loses its terminal, tidy up as after Ctrl-C.

    A service listens itself, and what is ignored, as under ``nohup``, stays so.
    """
    from core.runtime.ending_signals import ENDING_SIGNALS

    for number in ENDING_SIGNALS:
        if number != signal.SIGINT and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Do what SIGINT does now: asyncio cancels what it runs, Python raises KeyboardInterrupt."""
    handler = signal.getsignal(signal.SIGINT)
    (handler if callable(handler) else signal.default_int_handler)(number, frame)
