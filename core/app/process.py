"""How a process of the service begins and ends: its parent, its executor, signals, and a limit."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeAlias

from core.app.supervisor import RESTART
from core.errors import DeviceLost
from core.i18n.messages import explain, say
from core.interfaces.executor import Executor, StartableExecutor
from core.runtime.ending_signals import ENDING_SIGNALS
from core.runtime.last_resort import BEGAN, ENDED, end_with_parent, end_within, leave, tell_parent
from core.worker.worker import Worker

AT_ONCE_S = 1.0
OVER_GRACE_S = 3.5  # what may hang at the end, deliveries and the executor, has so long
Announce: TypeAlias = Callable[[str], None]


def run_main(main: Coroutine[Any, Any, None], announce: Announce, parent: int | None) -> NoReturn:
    """Run ``main`` to its end, and leave the process at once.

    All is closed then, and to take down what was imported takes a busy machine for seconds, in
    which the timers of a stop do not run any more.

    Args:
        main: :func:`serve`, or :func:`core.app.work.work`.
        announce: gets a sentence for everything the operator should see.
        parent: descriptor of a socket; the process ends with it, and says there how it ended.

    Raises:
        ClapperError: as told for ``main``.
    """
    if parent is not None:
        end_with_parent(parent)
        tell_parent(parent, BEGAN)
    try:
        asyncio.run(_left_in_time(main, parent))
    except DeviceLost as lost:
        announce(explain(lost))
        leave(RESTART)
    finally:
        main.close()  # where no loop could be made for it
        _tell_end(parent)
    leave(0)


async def _left_in_time(main: Coroutine[Any, Any, None], parent: int | None) -> None:
    """Run ``main``; once it is over nothing of it is waited for, such as a front that still starts.

    Its threads would hold up both the event loop and Python at their ends.
    """
    await main
    end_within(AT_ONCE_S, lambda: 0, lambda: _tell_end(parent))


def _tell_end(parent: int | None) -> None:
    if parent is not None:
        tell_parent(parent, ENDED)


async def started(executor: Executor, stop: asyncio.Event, announce: Announce) -> bool:
    """Start the executor where that takes long; return False where ``stop`` was set first.

    Raises:
        SetupProblem: it cannot start.
    """
    if not isinstance(executor, StartableExecutor):
        return True
    announce(say("executor_starts", {"executor": executor.name}))
    return not await _stopped_first(executor.warm_up(), stop)


async def _stopped_first(call: Coroutine[Any, Any, None], stop: asyncio.Event) -> bool:
    """Wait for ``call``; return whether ``stop`` was set before it ended, and leave it behind then.

    Raises:
        SetupProblem: as ``call`` does.
    """
    starting, stopped = asyncio.create_task(call), asyncio.create_task(stop.wait())
    await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not starting.done():
        starting.cancel()
        return True
    starting.result()
    return False


def on_signals(stop: asyncio.Event, first: Callable[[], None]) -> None:
    """Set ``stop`` at the first SIGINT, SIGTERM or SIGHUP; the second ends the process at once."""
    loop = asyncio.get_running_loop()
    numbers = [it for it in ENDING_SIGNALS if signal.getsignal(it) is not signal.SIG_IGN]

    def asked() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)
        signal.signal(signal.SIGINT, _at_once)
        stop.set()
        first()

    for number in numbers:
        loop.add_signal_handler(number, asked)


def _at_once(number: int, frame: object) -> None:
    """End the process without the grace; the next start takes up what it was doing.

    That it ended on purpose is being noted beside the jobs; that has the moment that it needs.
    """
    del frame
    with contextlib.suppress(
        OSError
    ):  # past the buffer: the signal may have cut into a write to it
        os.write(sys.stderr.fileno(), (say("stop_at_once") + "\n").encode())
    end_within(AT_ONCE_S, lambda: 128 + number, lambda: None)


async def end_in_time(worker: Worker, stop: asyncio.Event, announce: Announce) -> None:
    """Wait for ``stop``; from then on the process has so long to end, whatever hangs in it.

    That no job is lost or blamed by it, the worker noted in its row at the same moment.
    """
    await stop.wait()
    lost = worker.watch.lost is not None
    end_within(
        worker.rules.grace_s + OVER_GRACE_S,
        lambda: RESTART if lost else 0,
        lambda: announce(say("stop_forced")),
    )
