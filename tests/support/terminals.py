"""A program in a terminal of its own, as a person sits before it."""

import os
import pty
import re
import select
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ASKS = re.compile(r"\S[:?\]] ?$")  # a line that waits for an answer ends so
CTRL_C = "\x03"
CTRL_D = "\x04"
_QUIET_S = 0.3  # a question is one if nothing follows it
_LIMIT_S = 240.0
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def talk(
    command: Sequence[str | Path],
    answers: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
) -> tuple[int, str]:
    """Run ``command`` and give one of ``answers`` to each question; none is left: end of input.

    An answer of a single control character is sent as it is, every other one with Enter.

    Returns:
        The status, and what stood in the terminal, without colours.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", *map(str, command)],  # so that Ctrl-C reaches it as a signal
        stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd, env=dict(environment),
    )  # fmt: skip
    os.close(theirs)
    left, shown, asked = list(answers), b"", 0
    try:
        while True:
            waits = ASKS.search(_plain(shown[asked:]))
            ready, _, _ = select.select([ours], [], [], _QUIET_S if waits else _LIMIT_S)
            if ready:
                try:
                    got = os.read(ours, 65_536)
                except OSError:  # nobody has the other end any more
                    break
                shown += got
                if not got:
                    break
            elif waits:
                answer = left.pop(0) if left else CTRL_D
                asked = len(shown)
                os.write(ours, (answer if answer in {CTRL_C, CTRL_D} else f"{answer}\n").encode())
            else:
                raise TimeoutError(_plain(shown))
        return process.wait(_LIMIT_S), _plain(shown)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _plain(shown: bytes) -> str:
    return _COLOURS.sub("", shown.decode("utf-8", "replace")).replace("\r\n", "\n")
