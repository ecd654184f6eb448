"""End the process whatever hangs in it: with its parent, or so long after a stop."""

import os
import threading
from collections.abc import Callable


def end_within(seconds: float, status: Callable[[], int], last_words: Callable[[], None]) -> None:
    """Leave the process ``seconds`` from now, if it is still there.

    Threads that do not return would keep an interpreter from ending for ever.

    Args:
        seconds: from now.
        status: asked then, for the exit status.
        last_words: called then.
    """

    def leave() -> None:
        last_words()
        os._exit(status())

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()


def end_with_parent(descriptor: int) -> None:
    """Leave the process when the pipe of ``descriptor`` ends: its other end is in the parent."""

    def wait() -> None:
        while os.read(descriptor, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()
