"""Addresses that open a message, as each platform writes them; known to both fronts."""

import re

from core.domain.feed import FeedPost, PostState

JUMP = "https://discord.com/channels"  # opens a message, /guild/channel/message
SUPERGROUP = "-100"  # what the ids of Telegram's supergroups and channels begin with
_DISCORD = re.compile(r"discord(?:app)?\.com/channels/\d+/(?P<chat>\d+)/(?P<message>\d+)")
_TELEGRAM = re.compile(r"t\.me/c/(?P<chat>\d+)/(?:\d+/)?(?P<message>\d+)")


def discord_link(guild_id: int | str, where: str) -> str:
    """Return the address of a message ``channel/message`` of a server."""
    return f"{JUMP}/{guild_id}/{where}"


def telegram_link(where: str, username: str = "") -> str:
    """Return the address of a message ``chat/message`` of a supergroup; empty for other chats."""
    chat, _, message = where.partition("/")
    if username:
        return f"https://t.me/{username}/{message}"
    number = chat.removeprefix(SUPERGROUP)
    return f"https://t.me/c/{number}/{message}" if number != chat else ""


def link_of(post: FeedPost) -> str:
    """Return the address of a post, empty where it is not there yet or has none."""
    where, address = post.sent_id or "", post.target.address
    if not where or post.state is not PostState.SENT:
        return ""
    if post.target.platform == "discord":
        return discord_link(address.get("guild", ""), where)
    return telegram_link(where, address.get("username", ""))


def typed_post(typed: str) -> str:
    """Return what a person typed for a post: of a link ``channel/message``, else as it is."""
    words = typed.strip()
    if found := _DISCORD.search(words):
        return f"{found['chat']}/{found['message']}"
    if found := _TELEGRAM.search(words):
        return f"{SUPERGROUP}{found['chat']}/{found['message']}"
    return words
