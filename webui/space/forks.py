"""What processes that are forked from a Space's share with it: its end, not its connections."""

import os
import socket
import stat
import threading
from contextlib import suppress
from pathlib import Path


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


def keep_connections_here() -> None:
    """Let no process that is forked from this one share a network connection with it.

    The lender's package closes those in its fork that it found before it forked. One that came in
    between would outlive its end here: whoever is at the other end is not told that it is over,
    sends the next request into it, and waits for ever.
    """
    os.register_at_fork(after_in_child=_drop_connections)


def _drop_connections() -> None:
    """Put an empty file where this process has a network connection, under the same number.

    Whoever holds the number may close it later, and closes nothing else by that.
    """
    empty = os.open(os.devnull, os.O_RDWR)
    try:
        for entry in list(Path("/proc/self/fd").iterdir()):
            with suppress(OSError):  # the one of the listing is closed by now
                if _is_connection(int(entry.name)):
                    os.dup2(empty, int(entry.name), inheritable=False)
    finally:
        os.close(empty)


def _is_connection(descriptor: int) -> bool:
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return False
    with socket.socket(fileno=os.dup(descriptor)) as same:
        return same.family in (socket.AF_INET, socket.AF_INET6)
