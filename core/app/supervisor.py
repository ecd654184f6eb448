"""The small parent of ``clapper serve``: it starts the service, and starts it anew after a crash.

It holds neither a model nor a connection nor the database, so what breaks those leaves it alone,
and nothing that it imports may change that. The service is a group of processes of its own: the
terminal's Ctrl-C comes here, and from here to the service, once.
"""

import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core.i18n.messages import say
from core.runtime.ending_signals import ENDING_SIGNALS
from core.runtime.environment import hand_on
from core.runtime.last_resort import BEGAN, ENDED

RESTART = 75  # the service asks to be started anew; EX_TEMPFAIL of sysexits.h
# done, wrong options, refused, failed, installation, Ctrl-C: the same would happen again
FINAL = frozenset({0, 2, 3, 4, 5, 130})
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class RestartRules:
    """When the service is started anew. Times in seconds."""

    an_hour: int = 12  # restarts; after more, the parent gives up
    first_wait_s: float = 1.0  # doubles with every restart …
    longest_wait_s: float = 60.0  # … up to this …
    well_s: float = 120.0  # … and begins again once the service lived so long
    stop_s: float = 9.5  # after a signal; then the service is killed


class Supervisor:
    """Runs one command until it ends for good."""

    def __init__(
        self, command: Sequence[str], rules: RestartRules, tell: Callable[[str], None]
    ) -> None:
        """Take the command of the service, which gets ``--supervised FD`` behind it.

        The descriptor is of a socket that ends with this process. ``tell`` gets sentences.
        """
        self._command = command
        self._rules = rules
        self._tell = tell
        self._child: subprocess.Popen[bytes] | None = None
        self._stop_by: float | None = None  # monotonic; set by the first signal
        self._signals, woken = os.pipe()
        os.set_blocking(woken, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        self._alive, self._theirs = socket.socketpair()
        self._alive.setblocking(False)  # noqa: FBT003  # its only argument

    def run(self) -> int:
        """Run the service, again and again; return the exit status of the last one."""
        self._catch((*ENDING_SIGNALS, signal.SIGCHLD))
        quick, count, restarts = 0, 0, deque[float]()
        while True:
            began = time.monotonic()
            code = self._one_life()
            now = time.monotonic()
            on_purpose = self._ended_on_purpose()
            if self._stop_by is not None or (code in FINAL and on_purpose):
                return code if code >= 0 else 128 - code
            while restarts and now - restarts[0] > HOUR_S:
                restarts.popleft()
            if len(restarts) >= self._rules.an_hour:
                times = len(restarts) + 1
                self._tell(say("supervisor_gave_up", {"count": times, "ending": _ending(code)}))
                return code if code > 0 else 128 - code
            restarts.append(now)
            count += 1
            hand_on("CLAPPER_RESTARTS", str(count))  # its metrics and alerts tell it
            quick = 0 if now - began >= self._rules.well_s else quick + 1
            if not self._pause(code, max(0, quick - 1)):
                return 0

    def _one_life(self) -> int:
        self._child = subprocess.Popen(  # noqa: S603  # our own command
            [*self._command, "--supervised", str(self._theirs.fileno())],
            pass_fds=(self._theirs.fileno(),),
            process_group=0,
            preexec_fn=_dies_with(os.getpid()),  # noqa: PLW1509  # no threads are here
        )
        while self._child.poll() is None:
            self._wait(None if self._stop_by is None else self._stop_by - time.monotonic())
            if self._stop_by is not None and time.monotonic() >= self._stop_by:
                self._child.kill()
                self._child.wait()
                self._tell(say("supervisor_too_slow"))
        return self._child.returncode

    def _ended_on_purpose(self) -> bool:
        """Tell whether the last service said its end, or never began.

        A library that calls ``exit`` ends the process with any status, and without a word.
        """
        said = b""
        with contextlib.suppress(BlockingIOError):
            while more := self._alive.recv(64):
                said += more
        return BEGAN not in said or ENDED in said

    def _pause(self, code: int, doublings: int) -> bool:
        """Say what happened and wait before the next life; False where a signal ended the wait."""
        rules = self._rules
        wait_s = min(rules.first_wait_s * 2.0 ** min(doublings, 30), rules.longest_wait_s)
        if code == RESTART:
            self._tell(say("supervisor_device", {"wait_s": wait_s}))
        elif code < 0:
            self._tell(say("supervisor_killed", {"signal": _name(-code), "wait_s": wait_s}))
        else:
            self._tell(say("supervisor_failed", {"code": code, "wait_s": wait_s}))
        until = time.monotonic() + wait_s
        while self._stop_by is None and time.monotonic() < until:
            self._wait(until - time.monotonic())
        return self._stop_by is None

    def _wait(self, timeout_s: float | None) -> None:
        """Wait for signals, and pass on those that are for the service."""
        timeout_s = None if timeout_s is None else max(0.0, timeout_s)
        if not select.select([self._signals], [], [], timeout_s)[0]:
            return
        self._reap_orphans()
        for number in os.read(self._signals, 64):
            if number not in ENDING_SIGNALS:
                continue
            if self._stop_by is None:
                self._stop_by = time.monotonic() + self._rules.stop_s
            if self._child is not None and self._child.poll() is None:
                self._child.send_signal(number)

    def _reap_orphans(self) -> None:
        """Reap what the service left behind, which comes to process 1 of a container."""
        while os.getpid() == 1:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:  # between two lives
                return
            if found is None or (self._child is not None and found.si_pid == self._child.pid):
                return
            os.waitpid(found.si_pid, 0)

    def _catch(self, numbers: Iterable[signal.Signals]) -> None:
        for number in numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                signal.signal(number, _noted)


def _noted(number: int, frame: object) -> None:
    """Do nothing: the pipe of signals says it, and a wait is over."""
    del number, frame


def _dies_with(parent: int) -> Callable[[], None] | None:
    """Make what lets the kernel kill the child when this process dies, however it dies."""
    if sys.platform != "linux":
        return None  # the pipe does it, unless the child hangs
    prctl = ctypes.CDLL(None).prctl

    def bind() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died meanwhile
            os._exit(1)

    return bind


def _name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return str(number)


def _ending(code: int) -> str:
    if code == RESTART:
        return say("supervisor_ending_device")
    if code < 0:
        return say("supervisor_ending_signal", {"signal": _name(-code)})
    return say("supervisor_ending_code", {"code": code})


def tell_terminal(sentence: str) -> None:
    """Write ``sentence`` to standard error; nobody may be there to read it."""
    with contextlib.suppress(OSError):
        sys.stderr.write(sentence + "\n")
        sys.stderr.flush()
