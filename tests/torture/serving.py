"""``clapper serve`` that comes back whenever it is killed: run as a process by the tests beside it.

Everything is imported once and each life is a fork, so that a life begins at once. ``serve`` on
standard input starts it; the answer is the exit code of the life that ended by itself. SIGTERM is
passed on to the life.
"""

import os
import signal
import sys
from importlib import import_module

from core.app.serve import found_fronts
from core.cli import main

LIVING: list[int] = []


def born() -> int:
    child = os.fork()
    if child:
        return child
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.stdin.close()
    # the parent of the service would start a program anew; test_processes.py has it
    sys.argv = ["clapper", "serve", "--studio-only", "--no-supervise"]
    code = 1
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        os._exit(code)


def lives() -> int:
    """Live until a life ends by itself; return its exit code."""
    while True:
        LIVING[:] = [born()]
        _, status = os.waitpid(LIVING[0], 0)
        LIVING.clear()
        code = os.waitstatus_to_exitcode(status)
        if code != -signal.SIGKILL:
            return code


def pass_on(number: int, frame: object) -> None:
    del frame
    for child in LIVING:
        os.kill(child, number)


def answer(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    found_fronts(lambda _: None)
    import_module("webui.application")  # with Gradio, which the front imports when it starts
    signal.signal(signal.SIGTERM, pass_on)
    answer("ready")
    for _ in sys.stdin:
        answer(str(lives()))
