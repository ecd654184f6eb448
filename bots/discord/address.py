"""Where an interaction happens: reply address, person, rights and size limit of the destination."""

import time
from dataclasses import dataclass
from typing import Any, Self

import discord

from core.domain.jobs import ReplyTo
from core.domain.people import Asker, Caller, Requester

PLATFORM = "discord"
TOKEN_LIFE_S = 14 * 60  # Discord says 15 minutes; the last one is left for clocks and uploads
Interaction = discord.Interaction[Any]


@dataclass(frozen=True, slots=True)
class Address:
    """A stored Discord reply address: ids, and the interaction token while it lives."""

    channel_id: int
    message_id: int
    user_id: int
    guild_id: int | None
    application_id: int
    token: str
    token_until: float  # epoch seconds
    file_limit: int  # bytes of one file, as the interaction said
    private: bool = False  # ephemeral: only the token can reach the message
    spoiler: bool = False
    locale: str = "en-US"

    @property
    def channel_key(self) -> str:
        """Return the channel as the edit scheduler knows it."""
        return str(self.channel_id)

    @property
    def token_lives(self) -> bool:
        """Return whether the interaction token may still be used."""
        return bool(self.token) and time.time() < self.token_until

    def to_reply(self) -> ReplyTo:
        """Return the address as it is stored with the job."""
        return ReplyTo(
            PLATFORM,
            {
                "channel": str(self.channel_id),
                "message": str(self.message_id),
                "user": str(self.user_id),
                "guild": str(self.guild_id or ""),
                "application": str(self.application_id),
                "token": self.token,
                "token_until": str(self.token_until),
                "file_limit": str(self.file_limit),
                "private": str(int(self.private)),
                "spoiler": str(int(self.spoiler)),
                "locale": self.locale,
            },
        )

    @classmethod
    def of(cls, reply_to: ReplyTo) -> Self:
        """Return the address that :meth:`to_reply` stored."""
        at = reply_to.address
        return cls(
            channel_id=int(at["channel"]),
            message_id=int(at["message"]),
            user_id=int(at["user"]),
            guild_id=int(at["guild"]) if at["guild"] else None,
            application_id=int(at["application"]),
            token=at["token"],
            token_until=float(at["token_until"]),
            file_limit=int(at["file_limit"]),
            private=at["private"] == "1",
            spoiler=at["spoiler"] == "1",
            locale=at["locale"],
        )


def address_of(
    interaction: Interaction, message_id: int, *, private: bool = False, spoiler: bool = False
) -> Address:
    """Return where the answer to ``interaction`` stands; ``message_id`` is its first message."""
    return Address(
        channel_id=interaction.channel_id or 0,
        message_id=message_id,
        user_id=interaction.user.id,
        guild_id=interaction.guild_id,
        application_id=interaction.application_id,
        token=interaction.token,
        token_until=time.time() + TOKEN_LIFE_S,
        file_limit=interaction.filesize_limit,
        private=private,
        spoiler=spoiler,
        locale=str(interaction.locale),
    )


def person_of(interaction: Interaction, operator_roles: frozenset[str] = frozenset()) -> Caller:
    """Return who is asking: the user, the guild (or the direct message), channel and roles."""
    user = interaction.user
    channel = interaction.channel
    roles = (
        frozenset(str(role.id) for role in user.roles)
        if isinstance(user, discord.Member)
        else frozenset[str]()
    )
    place = f"{PLATFORM}:{interaction.guild_id or f'dm-{user.id}'}"
    return Caller(
        Requester(PLATFORM, str(user.id)),
        place,
        Asker(
            str(interaction.channel_id or ""),
            roles,
            parent=str(channel.parent_id) if isinstance(channel, discord.Thread) else "",
            age_gated=_is_age_gated(channel),
        ),
        str(interaction.locale),
        bool(roles & operator_roles),
    )


def is_direct(interaction: Interaction) -> bool:
    """Return whether nobody but the person and the bot reads this channel."""
    return interaction.guild_id is None and interaction.context.dm_channel


def _is_age_gated(channel: object) -> bool:
    if isinstance(channel, discord.Thread):
        channel = channel.parent
    return isinstance(channel, discord.abc.GuildChannel) and bool(getattr(channel, "nsfw", False))
