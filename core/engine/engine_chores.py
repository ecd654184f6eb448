"""Have chores done once in the whole cluster, by periodic tasks of procrastinate.

Every process that may do chores announces each at its time; the database takes the first. Whoever
is free does it: no process has to be found out to be dead before another one goes on.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from core.engine.application import BEAT_S, LIFE_S, application, keep_working
from core.runtime.chores import Chore, LocalChores
from core.storage.engine_connections import EngineConnections
from core.storage.work_tokens import WorkTokens

if TYPE_CHECKING:
    from procrastinate import App
    from procrastinate.app import WorkerOptions

QUEUE = "clapper:chores"
SWEEP_S = 2
AT_ONCE = 2  # a long one does not hold the sweep up
OPTIONS: "WorkerOptions" = {
    "queues": [QUEUE],
    "concurrency": AT_ONCE,
    "update_heartbeat_interval": BEAT_S,
    "stalled_worker_timeout": LIFE_S,
    "delete_jobs": "always",
    "install_signal_handlers": False,
}


class EngineChores:
    """Implements :class:`core.runtime.chores.ChoreRunner` for all processes at one server."""

    def __init__(self, connections: EngineConnections, tokens: WorkTokens) -> None:
        """Take the way to the engine, and the tokens that it hands out."""
        self._connections = connections
        self._tokens = tokens

    async def run(self, chores: Sequence[Chore], stop: asyncio.Event) -> None:
        """Do ``chores`` when they are due until ``stop`` is set; the one under way is finished."""
        app = application(self._connections)
        sweep = Chore("tokens", SWEEP_S, partial(self._sweep, app))
        for chore in (*chores, sweep):
            if not chore.everywhere:
                _register(app, chore)
        async with asyncio.TaskGroup() as tasks:
            own = [chore for chore in chores if chore.everywhere]
            tasks.create_task(LocalChores().run(own, stop))
            await keep_working(app, OPTIONS, stop)

    async def _sweep(self, app: "App") -> None:
        """Remove what dead workers hold, and add the tokens that are missing."""
        from procrastinate.jobs import Status

        await app.job_manager.prune_stalled_workers(LIFE_S)
        for held in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=LIFE_S):
            await app.job_manager.finish_job(held, Status.ABORTED, delete_job=True)
        await self._tokens.top_up()


def _register(app: "App", chore: Chore) -> None:
    # no lock while it is done: one that a dead process holds would stop the chore for good
    @app.periodic(cron=_cron(chore.every_s))
    @app.task(name=f"clapper:{chore.name}", queue=QUEUE, queueing_lock=chore.name)
    async def due(timestamp: int) -> None:  # pyright: ignore[reportUnusedFunction]  # by its name
        del timestamp
        await chore.do()


def _cron(every_s: int) -> str:
    """Return the times of a chore as cron writes them; seconds come last."""
    if every_s < 60:
        return f"* * * * * */{every_s}"
    if every_s < 3600:
        return f"*/{every_s // 60} * * * *"
    return f"0 */{every_s // 3600} * * *"
