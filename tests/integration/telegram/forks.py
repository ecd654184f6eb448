"""``clapper serve`` that is started and killed on command: run as a process by test_kill.py.

Everything is imported once and each life is a fork, so that a life begins at once. Commands on
standard input: ``start`` and ``kill``; each is answered with a line.
"""

import os
import signal
import sys

from core.app.serve import found_fronts
from core.cli import main


def born() -> int:
    child = os.fork()
    if child:
        return child
    sys.stdin.close()
    sys.argv = ["clapper", "serve", "--no-supervise"]  # a parent would start a program
    code = 1
    try:
        main()
        code = 0
    finally:
        os._exit(code)


def died(child: int) -> int:
    if child:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return 0


def lives() -> None:
    found_fronts(lambda _: None)
    child = 0
    for line in sys.stdin:
        child = born() if line.strip() == "start" else died(child)
        sys.stdout.write("done\n")
        sys.stdout.flush()
    died(child)


if __name__ == "__main__":
    lives()
