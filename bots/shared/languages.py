"""In which language each person last used the bot: for what they are told without having asked.

Neither platform tells the language of somebody who does nothing.
"""

from core.domain.time_units import DAY_MS
from core.service.front_services import FrontState

LIFE_MS = 365 * DAY_MS  # since somebody was first seen by a process
MOST = 10_000  # people that a process remembers not to write down again


class KnownLanguages:
    """The languages of the people of one platform; one who has everything forgotten has none."""

    def __init__(self, state: FrontState, platform: str) -> None:
        """Take what is kept over a restart."""
        self._state = state
        self._front = f"{platform}-language"
        self._noted: dict[int, str] = {}

    async def note(self, user_id: int, locale: str | None) -> None:
        """Note the language of somebody who uses the bot; nothing where their app says none."""
        if not locale or self._noted.get(user_id) == locale:
            return
        if len(self._noted) >= MOST:
            self._noted.clear()
        self._noted[user_id] = locale
        await self._state.remember(self._front, _name(user_id), locale)

    async def of(self, user_id: int | str) -> str | None:
        """Return the language that somebody used last; None where nobody knows."""
        kept = await self._state.recall(self._front, _name(user_id))
        return kept if isinstance(kept, str) else None

    def forget(self, user_id: int) -> None:
        """Write the language of somebody down again as soon as they are back."""
        self._noted.pop(user_id, None)

    async def prune(self) -> None:
        """Forget whoever has not been there for a year."""
        await self._state.forget_older(self._front, LIFE_MS)


def _name(user_id: int | str) -> str:
    return f"of:{user_id}"  # its end is how rows of a person are found
