"""The gate of a front: what rented machines reach of it, over the parts of the core."""

from contextlib import AbstractAsyncContextManager

from core.app.core import Core
from core.app.gate_machines import GateMachines
from core.app.gate_runs import GateHistory
from core.app.rules import media_limits
from core.gate.calls import GateCalls
from core.gate.files import GateFiles
from core.gate.front_parts import FrontParts
from core.gate.nodes import GateNodes
from core.gate.server import Gate, gate_server
from core.media.intake.clip_check import ClipCheck


def gate_of(core: Core) -> Gate:
    """Return the gate to the queue of ``core``; nothing else of it can be reached there."""
    settings = core.settings

    def owed() -> None:
        core.router.wake()
        core.bus.peers.owed()

    parts = FrontParts(
        find=core.jobs.get,
        artefacts=core.artefacts,
        hub=core.hub,
        dispatcher=core.ends.dispatcher,
        on_outcome=owed,
        check_clip=ClipCheck(media_limits(settings)).require,
        clips_folder=settings.clips_folder,
        record=GateHistory(core).record,
    )
    calls = GateCalls(GateMachines(core), parts)
    files = GateFiles(calls, core.artefacts, settings.clips_folder)
    return Gate(GateNodes(core.database, core.queue.clock), calls, files)


def front_gate(core: Core) -> AbstractAsyncContextManager[int]:
    """Serve the gate of ``core`` inside the block; gives the port.

    Raises:
        BadConfiguration: its address or certificate cannot be used.
    """
    return gate_server(core.settings.gate, gate_of(core))
