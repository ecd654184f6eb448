"""What Telegram knows of people: who runs a group, and who belongs to it."""

import time
from collections.abc import Iterable, Mapping

import structlog
from telegram import Bot, ChatMember, ChatMemberRestricted
from telegram.error import TelegramError

from bots.shared.post_links import link_of
from bots.telegram.address import PLATFORM
from core.domain.feed import FeedPost
from core.domain.people import Asker

log = structlog.get_logger(__name__)

KEPT_S = 300.0  # how long an answer holds
MOST_KEPT = 10_000
_RUNS = frozenset({ChatMember.OWNER, ChatMember.ADMINISTRATOR})
_BELONGS = _RUNS | {ChatMember.MEMBER}


class TelegramDirectory:
    """Implements :class:`core.interfaces.directory.PeopleDirectory`."""

    platform = PLATFORM

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._known: dict[tuple[str, str], tuple[float, str]] = {}

    async def is_run_by(self, place_id: str, people: Iterable[str]) -> bool:
        """Tell whether one of ``people`` owns or manages a group; a private chat is nobody's."""
        if not place_id.startswith("-"):
            return False
        for person in people:
            if await self._standing(place_id, person) in _RUNS:
                return True
        return False

    async def is_member(self, user_id: str, place_id: str) -> bool:
        """Tell whether somebody belongs to a group that the bot is in."""
        return await self._standing(place_id, user_id) in _BELONGS

    async def has_role(self, user_id: str, role_id: str) -> bool:
        """Return False: nobody has a role here."""
        del user_id, role_id
        return False

    def channel(self, address: Mapping[str, str]) -> Asker:
        """Return the topic, or the chat, as :func:`bots.telegram.address.caller_of` does."""
        return Asker(address.get("thread") or address.get("chat", ""))

    def link_of(self, post: FeedPost) -> str:
        """Return the address that opens a post of a feed; empty while it has none."""
        return link_of(post)

    async def _standing(self, chat: str, person: str) -> str:
        """Return what somebody is in a chat; empty where nobody can say."""
        known = self._known.get((chat, person))
        if known is not None and known[0] > time.monotonic():
            return known[1]
        try:
            member = await self._bot.get_chat_member(int(chat), int(person))
        except (TelegramError, TypeError, ValueError) as error:  # TypeError: an older server
            log.info("member_unknown", reason=type(error).__name__)
            return ""
        inside = isinstance(member, ChatMemberRestricted) and member.is_member
        standing = ChatMember.MEMBER if inside else member.status
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[chat, person] = (time.monotonic() + KEPT_S, standing)
        return standing
