"""End the processes that were forked from the Space's when it ends, however it does."""

import os
import threading
from contextlib import suppress


def end_with_main() -> None:
    """Let every process that is forked from this one end once this one is gone.

    A process with a borrowed GPU would go on for ever and keep it. The pipe has its writing end in
    this process alone, so the kernel closes it with the process, also after SIGKILL.
    """
    reading, writing = os.pipe()
    held = [writing]

    def wait() -> None:
        with suppress(OSError):  # whoever was forked closed what it does not need
            if os.read(reading, 1) == b"":  # nothing is ever written: the pipe was closed
                os._exit(0)

    def in_child() -> None:
        while held:  # in a child of a child it is closed already
            os.close(held.pop())
        threading.Thread(target=wait, name="main", daemon=True).start()

    os.register_at_fork(after_in_child=in_child)
