"""Introduce the bot in a place that it was added to: once, also over restarts."""

from bots.shared.texts import Texts
from core.domain.people import Asker, Caller, Requester
from core.service.front_services import FrontState
from core.service.user_api import UserApi

ANYBODY = "0"  # the id of nobody on either platform


class Welcomes:
    """The places of one platform that were greeted."""

    def __init__(self, state: FrontState, platform: str) -> None:
        """Take what is kept over a restart."""
        self._state = state
        self._front = f"{platform}-welcome"

    async def begin(self, place_id: int) -> bool:
        """Note that a place is greeted; return False if it was before."""
        if await self._state.recall(self._front, str(place_id)) is not None:
            return False
        await self._state.remember(self._front, str(place_id), value=True)
        return True

    async def end(self, place_id: int) -> None:
        """Note that the bot left a place, so that it greets when it comes again."""
        await self._state.remember(self._front, str(place_id), None)


async def is_open_to_all(users: UserApi, platform: str, place_id: int) -> bool:
    """Tell whether anybody in a place may use the bot there."""
    anybody = Requester(platform, ANYBODY)
    return await users.access.admits(
        Caller(anybody, f"{platform}:{place_id}", Asker(str(place_id)))
    )


def welcome_text(texts: Texts, *, open_to_all: bool) -> str:
    """Say what the bot does, who may use it and where to read on."""
    who = texts.say("welcome_open" if open_to_all else "welcome_closed")
    return "\n".join([texts.say("welcome"), who, texts.say("welcome_more")])
