"""Check before any work that the bot may post videos in the chat."""

import time

import structlog
from telegram import (
    Bot,
    ChatMember,
    ChatMemberAdministrator,
    ChatMemberRestricted,
    Message,
)
from telegram.error import TelegramError

from core.errors import ChatRightsMissing

log = structlog.get_logger(__name__)

CACHE_S = 60.0  # how long a permission that was there is not asked for again


class PostingPermissions:
    """Whether the bot may post videos in each group; a yes is cached for a minute."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._good_until: dict[int, float] = {}  # by chat id, monotonic seconds

    async def check(self, message: Message) -> None:
        """Refuse work for a group in which the bot may not post videos.

        Raises:
            ChatRightsMissing: the bot lacks permissions there.
        """
        chat_id = message.chat_id
        if message.chat.type == "private" or self._good_until.get(chat_id, 0) > time.monotonic():
            return
        try:
            may = await self._may_post(chat_id)
        except (TelegramError, TypeError) as error:  # TypeError: a server older than the library
            # unknown is no reason to refuse
            log.info("rights_unknown", reason=type(error).__name__)
            return
        if not may:
            raise ChatRightsMissing
        self._good_until[chat_id] = time.monotonic() + CACHE_S

    async def may_post_in(self, chat_id: int) -> bool:
        """Tell whether the bot may post videos in a chat; False where nobody can say."""
        try:
            return await self._may_post(chat_id)
        except (TelegramError, TypeError) as error:  # TypeError: a server older than the library
            log.info("rights_unknown", reason=type(error).__name__)
            return False

    async def _may_post(self, chat_id: int) -> bool:
        member = await self._bot.get_chat_member(chat_id, self._bot.id)
        if isinstance(member, ChatMemberRestricted):
            return member.can_send_messages and member.can_send_videos
        if isinstance(member, ChatMemberAdministrator):
            return member.can_post_messages is not False  # said of channels alone
        if member.status != ChatMember.MEMBER:
            return member.status == ChatMember.OWNER
        usual = (await self._bot.get_chat(chat_id)).permissions
        return usual is None or (
            usual.can_send_messages is not False and usual.can_send_videos is not False
        )
