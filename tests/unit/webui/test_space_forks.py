"""Processes that were forked from a Space end with it, however it ends."""

import os
import signal
import socket
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
    # from 3.12 on Python warns of the second fork, beside the thread that the first one started
    quiet = ("-W", "ignore:This process:DeprecationWarning")
    done = subprocess.run([sys.executable, *quiet, "-c", code], capture_output=True, check=True)

    assert (done.stdout, done.stderr) == (b"done\n", b"")


SERVES = """
import os, signal, socket
from webui.space.forks import keep_connections_here
keep_connections_here()
with socket.create_server(("127.0.0.1", 0)) as server, os.fdopen(1, "wb", 0) as out:
    out.write(b"%d\\n" % server.getsockname()[1])
    with server.accept()[0]:
        pipe, child = socket.socketpair(), os.fork()
        if child == 0:
            pipe[0].send(b"there")  # what is no connection is shared
            signal.pause()
        pipe[1].recv(5)
    out.write(b"closed\\n")
    signal.pause()
"""


def test_a_connection_that_the_main_process_ends_is_over_while_its_fork_lives() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVES], stdout=subprocess.PIPE, process_group=0
    ) as main:
        assert main.stdout
        try:
            with socket.create_connection(("127.0.0.1", int(main.stdout.readline())), 30) as line:
                assert main.stdout.readline() == b"closed\n"
                assert line.recv(1) == b""
        finally:
            os.killpg(main.pid, signal.SIGKILL)
