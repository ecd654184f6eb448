"""End the process whatever hangs in it: with its parent, or so long after a stop."""

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

BEGAN, ENDED = b"b", b"e"  # what a service says to its parent


def end_within(seconds: float, status: Callable[[], int], last_words: Callable[[], None]) -> None:
    """Leave the process ``seconds`` from now, if it is still there.

    Threads that do not return would keep an interpreter from ending for ever.

    Args:
        seconds: from now.
        status: asked then, for the exit status.
        last_words: called then.
    """

    def end() -> None:
        last_words()
        os._exit(status())

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def leave(status: int) -> NoReturn:
    """Leave the process now, without taking down what a lost device may never let go of."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def tell_parent(descriptor: int, word: bytes) -> None:
    """Say :data:`BEGAN` or :data:`ENDED` to the parent, which may be gone."""
    with contextlib.suppress(OSError):
        os.write(descriptor, word)


def end_with_parent(descriptor: int) -> None:
    """Leave the process when the socket of ``descriptor`` ends: its other end is in the parent."""

    def wait() -> None:
        while os.read(descriptor, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()
