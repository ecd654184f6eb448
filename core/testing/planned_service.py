"""The service below the parent of :mod:`core.testing.faulty_service`, and its front."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.app import bootstrap, serve, wiring
from core.app.core import Core
from core.app.logs import set_up_logging
from core.app.rules import worker_rules
from core.app.supervisor import tell_terminal
from core.domain.jobs import ReplyTo
from core.domain.modes import Mode
from core.domain.nodes import NodeRole
from core.domain.people import Requester
from core.domain.requests import Request
from core.interfaces.terms import Term
from core.service.front_services import FrontServices
from core.settings import Settings, load_settings
from core.testing.doubles import RecordingDelivery, tiny
from core.testing.faults import FaultyExecutor
from core.testing.jobs import submit_request
from core.worker.rules import WorkerRules


@dataclass
class PlannedFront:
    """Submits what is planned, shows what comes of it, and stops the service after the last."""

    folder: Path
    name: str = "test"
    core: list[Core] = field(default_factory=list[Core])  # once it is open

    def configured(self, settings: Settings) -> bool:
        """Return True."""
        del settings
        return True

    async def run(self, services: FrontServices, on_ready: Callable[[], None]) -> None:
        """Serve until every planned job is told."""
        plan = json.loads((self.folder / "plan.json").read_text("utf-8"))
        delivery = RecordingDelivery(book=self.folder / "book")
        services.register(delivery)
        on_ready()
        for number, prompt in enumerate(plan["prompts"]):
            who = Requester("test", f"user-{number % plan['users']}")
            sampling = tiny(plan.get("frames", 9), plan.get("side", 64), number)
            request = Request(Mode.T2V, prompt, sampling)
            await submit_request(self.core[0], request, who, ReplyTo("test"), f"event-{number}")
        await delivery.until(len(plan["prompts"]))
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()


def run_service(folder: Path, descriptor: str, *, own_executor: bool = False) -> None:
    """Run the command as the parent starts it, with the executor and the front of the test.

    ``own_executor``: with the executor that the settings choose.
    """
    front = PlannedFront(folder)
    of_core = serve.front_services

    def front_services(core: Core, term: Term | None = None) -> FrontServices:
        front.core.append(core)
        return of_core(core, term)

    def executor(settings: Settings, announce: Callable[[str], None]) -> FaultyExecutor:
        del settings, announce
        return FaultyExecutor(folder)

    def rules(settings: Settings, role: NodeRole) -> WorkerRules:
        return replace(worker_rules(settings, role), unwind_s=0.2, stuck_s=0.2)

    serve.front_services = front_services
    serve.found_fronts = lambda _: [front]
    if not own_executor:
        bootstrap.choose_executor = executor
    wiring.worker_rules = rules
    set_up_logging("info")
    serve.run_service(load_settings(), tell_terminal, int(descriptor))
