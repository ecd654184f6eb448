"""Nodes of a cluster, each a process that runs the service as its command does.

    python -m core.testing.cluster_nodes FOLDER

A line of JSON on standard input starts one, ``{"role": …, "name": …, "settings": {…}}``, and is
answered by the number of its process; ``{"wait": number}`` waits for its end and is answered by
its status. Everything is imported once and each node is a fork, so that one is there within a
second. What a node logs is in FOLDER/<name>.log.

The role ``front`` is ``clapper serve`` with one front, which submits FOLDER/plan.json,
``{"jobs": n, "users": n}``, and posts to FOLDER/book; ``worker`` is ``clapper worker``. SIGUSR1
lets a node stop itself, as SIGSTOP does, at the beginning of its next turn.
"""

import asyncio
import ctypes
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.app import bootstrap, serve, wiring
from core.app.core import Core
from core.app.finishing import finisher
from core.app.logs import set_up_logging
from core.app.process import run_main
from core.app.supervisor import tell_terminal
from core.app.work import work
from core.domain.jobs import ReplyTo
from core.domain.media import RawClip
from core.domain.people import Requester
from core.domain.progress import ProgressSink, Stage, Working
from core.errors import ClapperError
from core.interfaces.executor import Executor, Order
from core.interfaces.terms import Term
from core.runtime.cancellation import CancelToken
from core.runtime.environment import hand_on
from core.runtime.notifier import LocalDispatcher
from core.runtime.tasks import outcome_of
from core.service.front_services import FrontServices
from core.settings import Settings, load_settings
from core.storage.database import Database
from core.storage.engines import TransactionKind
from core.storage.postgres_engine import PostgresEngine
from core.storage.uncut_connection import UncutConnection
from core.testing.copied_clips import copied_clips
from core.testing.doubles import grey_clip, t2v
from core.testing.jobs import submit_request
from core.testing.node_figures import MeasuredExecutor, NodeFigures, measure_claims
from core.testing.shared_chat import SharedChat
from core.worker.driver import Driver, LocalDriver
from core.worker.worker import Finish

POST_S = 0.01
ENGINE, ROWS = "procrastinate", "rows"
_DEATH = 1  # PR_SET_PDEATHSIG: no node outlives who started it
AGAIN_S = 0.1  # after a refusal, until a job is submitted again


@dataclass(frozen=True)
class NodePlan:
    """One node.

    Attributes:
        role: ``front`` or ``worker``.
        name: of its log.
        settings: by name, without the prefix of the program.
        render_s: what its device takes for a clip, seconds.
        steps: of which it tells on the way.
        measured: it notes moments in FOLDER/<name>.figures, and encodes one clip for all.
        copied: it encodes one clip for all.
        driver: what calls for its attempts, ``procrastinate`` or bare ``rows``.
    """

    role: str
    name: str
    settings: dict[str, str]
    render_s: float = 0.2
    steps: int = 5
    measured: bool = False
    copied: bool = False
    driver: str = ENGINE


@dataclass(frozen=True)
class WaitingExecutor:
    """A device that takes ``render_s`` for every clip, step by step, and hears cancels."""

    render_s: float
    steps: int
    name: str = "draft"

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        """Wait, then give grey frames.

        Raises:
            Cancelled: as soon as ``cancel`` is.
        """
        stopped = asyncio.create_task(cancel.wait())
        try:
            for step in range(self.steps):
                on_progress(Working(Stage.STAGE1, step, self.steps, step / self.steps))
                await asyncio.wait({stopped}, timeout=self.render_s / self.steps)
                cancel.raise_if_cancelled()
        finally:
            stopped.cancel()
        return grey_clip(order.request.sampling, round(self.render_s * 1000), with_sound=False)

    async def close(self) -> None:
        """Do nothing: there is no device."""


@dataclass(frozen=True)
class ChatFront:
    """Submits what is planned, each job until it is accepted, and delivers to the shared chat."""

    folder: Path
    core: list[Core]  # once it is open
    name: str = "test"

    def configured(self, settings: Settings) -> bool:
        """Return True."""
        del settings
        return True

    async def run(self, services: FrontServices, on_ready: Callable[[], None]) -> None:
        """Serve until cancelled."""
        services.register(SharedChat(self.folder / "book", self.name, POST_S))
        on_ready()
        plan = json.loads((self.folder / "plan.json").read_text("utf-8"))
        for number in self._unacknowledged(plan["jobs"]):
            who = Requester(self.name, f"user-{number % plan['users']}")
            await self._submit(number, who)
        await asyncio.Event().wait()

    def _unacknowledged(self, jobs: int) -> Iterator[int]:
        acks = self.folder / "acks"
        acks.touch()
        done = {json.loads(line)["number"] for line in acks.read_text("utf-8").splitlines()}
        return (number for number in range(jobs) if number not in done)

    async def _submit(self, number: int, who: Requester) -> None:
        """Submit until there is an answer, as people do who press again; note the answer."""
        while True:
            reply = ReplyTo(self.name)
            asked = submit_request(self.core[0], t2v(seed=number), who, reply, f"event-{number}")
            answer = await outcome_of(asked)
            if answer.value is not None:
                break
            if not isinstance(answer.error, ClapperError):
                raise answer.error or RuntimeError("no answer")
            await asyncio.sleep(AGAIN_S)
        with (self.folder / "acks").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"number": number, "id": answer.value.job_id}) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _stop_when_asked() -> None:
    """Stop this process at the beginning of its next turn, after each SIGUSR1."""
    asked, enter = threading.Event(), PostgresEngine.enter

    async def entered(
        self: PostgresEngine, connection: UncutConnection, kind: TransactionKind
    ) -> None:
        await enter(self, connection, kind)
        if asked.is_set() and kind is TransactionKind.TURN:
            asked.clear()
            os.kill(os.getpid(), signal.SIGSTOP)

    def ask(number: int, frame: object) -> None:
        del number, frame
        asked.set()

    PostgresEngine.enter = entered
    signal.signal(signal.SIGUSR1, ask)


def _encoding_once(settings: Settings) -> Finish:
    return copied_clips(finisher(settings))


def _by_rows(
    settings: Settings,
    database: Database,
    dispatcher: LocalDispatcher,
    devices: int,
    pools: Callable[[], Sequence[str]],
) -> Driver:
    del settings, database, devices, pools
    return LocalDriver(dispatcher)


def run_node(folder: Path, plan: NodePlan) -> None:
    """Run the service of this process's settings to its end, with doubles at its edges."""
    cores: list[Core] = []
    of_core = serve.front_services

    def front_services(core: Core, term: Term | None = None) -> FrontServices:
        cores.append(core)
        return of_core(core, term)

    serve.front_services = front_services
    serve.found_fronts = lambda _: [ChatFront(folder, cores)]
    executor: Executor = WaitingExecutor(plan.render_s, plan.steps)
    if plan.measured:
        figures = NodeFigures(folder / f"{plan.name}.figures")
        measure_claims(figures)
        executor = MeasuredExecutor(executor, figures)
    if plan.measured or plan.copied:
        wiring.finisher = _encoding_once

    def chosen(settings: Settings, announce: Callable[[str], None]) -> Executor:
        del settings, announce
        return executor

    if plan.driver == ROWS:
        wiring.driver_of = _by_rows
    bootstrap.choose_executor = chosen
    _stop_when_asked()
    set_up_logging("info")
    command = serve.serve if plan.role == "front" else work
    run_main(command(load_settings(), tell_terminal), tell_terminal, None)


def born(folder: Path, plan: NodePlan) -> int:
    """Start a node in a process of its own; return the number of that process."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        ctypes.CDLL(None).prctl(_DEATH, signal.SIGKILL)
        with (folder / f"{plan.name}.log").open("ab") as file:
            os.dup2(file.fileno(), sys.stdout.fileno())
            os.dup2(file.fileno(), sys.stderr.fileno())
        for name, value in plan.settings.items():
            hand_on(f"CLAPPER_{name}", value)
        run_node(folder, plan)
        status = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stderr.flush()
        os._exit(status)


def _answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    """Start and await nodes as standard input says, until it ends."""
    folder = Path(sys.argv[1])
    _answer(os.getpid())
    for line in iter(sys.stdin.readline, ""):
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            _answer(os.waitstatus_to_exitcode(status))
        else:
            _answer(born(folder, NodePlan(**order)))


if __name__ == "__main__":
    main()
