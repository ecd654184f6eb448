"""Send a command to the service that runs here, or answer it beside the database without one."""

import asyncio
from typing import Any

from core.animatic import DraftExecutor
from core.app.bootstrap import open_core
from core.app.steering import steered_service
from core.control.client import ControlClient, running_service
from core.control.commands import Command
from core.control.handlers import CommandHandlers
from core.control.peer import this_process
from core.errors.setup import NoServiceRuns
from core.runtime.paths import readable
from core.settings import Settings, load_settings


def steer(command: Command) -> list[Any]:
    """Return the records that answer ``command``.

    Raises:
        ClapperError: it cannot be done, or the core cannot be opened.
    """
    return asyncio.run(_steer(load_settings(), command))


def steer_one(command: Command) -> Any:  # noqa: ANN401  # a record of the command's row
    """Return the one record that answers ``command``.

    Raises:
        ClapperError: it cannot be done, or the core cannot be opened.
    """
    return steer(command)[0]


async def _steer(settings: Settings, command: Command) -> list[Any]:
    async with running_service(settings.data_dir) as client:
        if client is not None:
            return [item async for item in client.ask(command)]
    async with open_core(settings, DraftExecutor(), beside=True) as core:
        handlers = CommandHandlers(steered_service(core, serving=False), this_process())
        return [item async for item in handlers.answer(command, asyncio.Event())]


def require_service(client: ControlClient | None, settings: Settings) -> ControlClient:
    """Return ``client`` where there is one.

    Raises:
        NoServiceRuns: nothing listens.
    """
    if client is None:
        raise NoServiceRuns(readable(settings.data_dir))
    return client
