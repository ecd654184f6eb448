"""The named styles that a visitor may choose."""

from dataclasses import dataclass

from core.service.front_services import FrontServices
from webui.auth.visitors import Visitor


@dataclass(frozen=True, slots=True)
class StyleChoice:
    """One style, by the name that people choose it by, with its words around the prompt."""

    name: str
    before: str
    after: str


class StudioStyles:
    """Lists styles; operators change them (:mod:`webui.studio.operator_actions`)."""

    def __init__(self, services: FrontServices) -> None:
        """Take the service."""
        self._styles = services.users.styles

    async def listed(self, visitor: Visitor) -> list[StyleChoice]:
        """List the styles that ``visitor`` may use, as they are now."""
        found = await self._styles.listed(visitor.caller)
        return [StyleChoice(one.name, one.words.before, one.words.after) for one in found]
