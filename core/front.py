"""What a front is to core: a name, whether it is configured, and a coroutine that runs it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from core.bootstrap import Core


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

        The front registers its Delivery with ``core.router`` before it takes requests.
        """
        ...
