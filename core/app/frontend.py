"""What a front is to core: a name, whether it is configured, and a coroutine that runs it."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from core.domain.people import Requester
from core.interfaces.platform_check import PlatformCheck
from core.service.front_services import FrontServices
from core.settings import Settings


class Front(Protocol):
    """Discord, Telegram or the Studio; registered under the entry point group clapper.fronts."""

    @property
    def name(self) -> str:
        """Return the platform's name."""
        ...

    def configured(self, settings: Settings) -> bool:
        """Return whether the settings ask for this front."""
        ...

    async def run(self, services: FrontServices, on_ready: Callable[[], None]) -> None:
        """Serve until cancelled; call ``on_ready`` once people can use it.

        The front calls ``services.register`` with its Delivery before it takes requests.
        """
        ...


@runtime_checkable
class Exclusive(Protocol):
    """A front that one node at a time may run."""

    def term(self, settings: Settings) -> str:
        """Return the name of the term that it runs under, see :mod:`core.interfaces.terms`."""
        ...


@runtime_checkable
class Browsable(Protocol):
    """A front that people open in a browser."""

    @property
    def url(self) -> str:
        """Return its address on this machine; empty before it runs."""
        ...


@runtime_checkable
class Examinable(Protocol):
    """A front that can ask its platform whether it will work."""

    async def examine(self, settings: Settings) -> list[PlatformCheck]:
        """Return what is well and what is not; nothing where the front is not configured."""
        ...


@runtime_checkable
class PolledAlone(Protocol):
    """A front whose platform serves one process at a time."""

    async def look_for_polling_conflicts(self, settings: Settings) -> list[PlatformCheck]:
        """Tell whether another process serves with the same token; not asked beside our own."""
        ...


@runtime_checkable
class OperatorFinder(Protocol):
    """A front that can find out which account its operator has."""

    async def find_operator(
        self, settings: Settings, code: str, ask: Callable[[str], None]
    ) -> Requester | None:
        """Return the account of whoever set the bot up.

        Args:
            settings: with a token that the platform takes.
            code: what only that person knows; it is awaited from nobody else.
            ask: gets what the person has to do, where the platform does not know already.

        Returns:
            None where the platform names nobody, or is not to be reached. Waits for the code
            until it is cancelled.
        """
        ...


@runtime_checkable
class Checkable(Protocol):
    """A front that can tell from the settings and this machine whether it will start."""

    @property
    def name(self) -> str:
        """Return the platform's name."""
        ...

    def configured(self, settings: Settings) -> bool:
        """Return whether the settings ask for this front."""
        ...

    def check(self, settings: Settings) -> list[PlatformCheck]:
        """Return what would keep it from starting; changes nothing and asks no network."""
        ...
