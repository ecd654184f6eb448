"""Processes that were forked from a Space end with it, however it ends."""

import os
import signal
import subprocess
import sys

import pytest

FORKS = """
import os, signal, sys
from webui.space.forks import end_with_main
end_with_main()
if os.fork() == 0:
    if os.fork() == 0:  # a child of the child
        signal.pause()
    signal.pause()
print("up", flush=True)
signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_forked_ends_when_the_main_process_does(number: signal.Signals) -> None:
    reading, writing = os.pipe()  # ends with the last process that has it
    with subprocess.Popen(
        [sys.executable, "-c", FORKS], stdout=subprocess.PIPE, pass_fds=(writing,)
    ) as main:
        os.close(writing)
        assert main.stdout
        assert main.stdout.readline() == b"up\n"
        main.send_signal(number)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == b""


def test_a_child_ends_by_itself_as_ever() -> None:
    code = FORKS.replace("signal.pause()", "os._exit(0)", 2).replace(
        'print("up", flush=True)\nsignal.pause()', "os.wait(); print('done')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert (done.stdout, done.stderr) == (b"done\n", b"")
