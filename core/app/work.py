"""``clapper worker``: a node that makes clips, without a front, until a signal."""

import asyncio
from collections.abc import Callable

from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.gate_worker import work_at_gate
from core.app.operation import health_of
from core.app.preflight import LOOPBACK, check_names, check_ports, refuse_broken
from core.app.process import end_in_time, on_signals, started
from core.app.roles import check_role
from core.domain.nodes import NodeRole
from core.i18n.messages import say
from core.settings import Settings

Announce = Callable[[str], None]


async def work(settings: Settings, announce: Announce) -> None:
    """Make clips until SIGINT or SIGTERM.

    Args:
        settings: of this machine.
        announce: gets a sentence for everything the operator should see.

    Raises:
        SetupProblem: it cannot be a worker, or its executor cannot start.
        DeviceLost: only a new process can go on; every job is back in line.
    """
    check_role(settings, NodeRole.WORKER)
    refuse_broken([*check_names(), *check_ports(settings, [])])
    if settings.executor == "auto":  # people would get drafts where they asked for clips
        settings = settings.model_copy(update={"executor": "comfy"})
    if settings.gate.url:
        await work_at_gate(settings, announce)
        return
    stop = asyncio.Event()
    async with open_core(settings, announce=announce, role=NodeRole.WORKER) as core:
        notice_s = core.worker.rules.grace_s
        on_signals(stop, lambda: announce(say("worker_stopping", {"notice_s": notice_s})))
        ending = asyncio.create_task(end_in_time(core.worker, stop, announce))
        async with health_of(core, LOOPBACK, announce):  # it has no other port
            if await started(core.executor, stop, announce):
                announce(say("worker_ready", _facts(core)))
                await core.run(stop)
        ending.cancel()
        lost = core.worker.watch.lost
        if lost is None:
            announce(say("stopped"))
    if lost is not None:
        raise lost


def _facts(core: Core) -> dict[str, object]:
    return {
        "name": core.nodes.name,
        "pool": core.nodes.pool,
        "device": core.runs.place.device,
    }
