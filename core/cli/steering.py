"""Send a command to the service that runs here, or answer it beside the database without one."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from core.animatic import DraftExecutor
from core.app.bootstrap import open_core
from core.app.steering import steered_service
from core.cli.running import is_running
from core.control.client import ControlClient, running_service
from core.control.commands import Command
from core.control.handlers import CommandHandlers
from core.control.peer import this_process
from core.control.wire import require_valid
from core.errors.setup import DataDirectoryBusy, NoServiceRuns, ServiceUnreachable
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
    require_valid(command)
    async with running_service(settings.data_dir) as client:
        if client is not None:
            return [item async for item in client.ask(command)]
    with no_other_process():
        async with open_core(settings, DraftExecutor(), beside=True) as core:
            handlers = CommandHandlers(steered_service(core, serving=False), this_process())
            return [item async for item in handlers.answer(command, asyncio.Event())]


@contextmanager
def no_other_process() -> Generator[None]:
    """Say what it means that a process holds the data directory and takes no commands.

    Raises:
        ServiceUnreachable: one does.
    """
    try:
        yield
    except DataDirectoryBusy as busy:
        raise ServiceUnreachable(busy.path) from None


def require_service(client: ControlClient | None, settings: Settings) -> ControlClient:
    """Return ``client`` where there is one.

    Raises:
        NoServiceRuns: nothing uses the data directory.
        ServiceUnreachable: something does, and does not listen.
    """
    if client is not None:
        return client
    place = readable(settings.data_dir)
    raise ServiceUnreachable(place) if is_running(settings) else NoServiceRuns(place)
