"""What a front is to core: a name, whether it is configured, and a coroutine that runs it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from core.settings import Settings

if TYPE_CHECKING:
    from core.app.bootstrap import Core


class Front(Protocol):
    """Discord, Telegram or the Studio; registered under the entry point group clapper.fronts."""

    @property
    def name(self) -> str:
        """Return the platform's name."""
        ...

    def configured(self, core: "Core") -> bool:
        """Return whether the settings ask for this front."""
        ...

    async def run(self, core: "Core", on_ready: Callable[[], None]) -> None:
        """Serve until cancelled; call ``on_ready`` once people can use it.

        The front registers its Delivery with ``core.delivery.router`` before it takes requests.
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
