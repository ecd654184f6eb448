"""What a front is to core: a name, whether it is configured, and a coroutine that runs it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

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


@dataclass(frozen=True, slots=True)
class Check:
    """One line about a front's platform; ``fix`` is a sentence, empty where all is well."""

    what: str
    health: Literal["good", "note", "bad"]
    detail: str
    fix: str = ""


@runtime_checkable
class Examinable(Protocol):
    """A front that can ask its platform whether it will work."""

    async def examine(self, settings: Settings) -> list[Check]:
        """Return what is well and what is not; nothing where the front is not configured."""
        ...
