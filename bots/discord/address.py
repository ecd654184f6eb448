"""Reply addresses on Discord, and who is asking in which channel."""

import time
from dataclasses import dataclass
from typing import Any, Self

import discord

from core.domain.decoding import whole
from core.domain.jobs import ReplyTo
from core.domain.people import Asker, Caller, Requester
from core.errors import DeliveryImpossible

PLATFORM = "discord"
TOKEN_LIFE_S = 14 * 60  # Discord says 15 minutes; the last one is left for clocks and uploads
Interaction = discord.Interaction[Any]


@dataclass(frozen=True, slots=True)
class DiscordAddress:
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
    notes: str = ""  # what people are told of their request, a line each

    @property
    def channel_key(self) -> str:
        """Name the channel for the edit scheduler."""
        return str(self.channel_id)

    @property
    def place(self) -> str:
        """Name the place as :func:`caller_of` does."""
        return f"{PLATFORM}:{self.guild_id or f'dm-{self.user_id}'}"

    @property
    def is_public(self) -> bool:
        """Tell whether everybody of the channel sees what is posted here."""
        return self.guild_id is not None and not self.private

    @property
    def token_lives(self) -> bool:
        """Tell whether the interaction token may still be used."""
        return bool(self.token) and time.time() < self.token_until

    def to_reply(self) -> ReplyTo:
        """Convert the address to what is stored with the job."""
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
                "notes": self.notes,
            },
        )

    @classmethod
    def of(cls, reply_to: ReplyTo) -> Self:
        """Read the address that :meth:`to_reply` stored, also where another version did.

        What is missing is 0, so that a delivery goes on to the next way to send; what hides the
        clip holds unless the address says otherwise.

        Raises:
            DeliveryImpossible: it names neither a channel nor a person.
        """
        at = reply_to.address
        channel_id, user_id = whole(at, "channel"), whole(at, "user")
        if not channel_id and not user_id:
            raise DeliveryImpossible("address_unreadable")
        message_id, application_id = whole(at, "message"), whole(at, "application")
        return cls(
            channel_id=channel_id,
            message_id=message_id,
            user_id=user_id,
            guild_id=whole(at, "guild") or None,
            application_id=application_id,
            token=at.get("token", "") if message_id and application_id else "",
            token_until=_moment(at.get("token_until", "")),
            file_limit=whole(at, "file_limit"),
            private=at.get("private") != "0",
            spoiler=at.get("spoiler") != "0",
            locale=at.get("locale", "en-US"),
            notes=at.get("notes", ""),
        )


def _moment(text: str) -> float:
    """Read an epoch time; long ago where it is none."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def address_of(
    interaction: Interaction,
    message_id: int,
    locale: str,
    *,
    private: bool = False,
    spoiler: bool = False,
) -> DiscordAddress:
    """Build the reply address of ``interaction``, whose first answer is ``message_id``."""
    return DiscordAddress(
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
        locale=locale,
    )


def caller_of(interaction: Interaction, operator_roles: frozenset[str] = frozenset()) -> Caller:
    """Identify who is asking: user, guild (or direct message), channel and roles."""
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
            age_gated=is_age_gated(channel),
        ),
        str(interaction.locale),
        bool(roles & operator_roles),
        manages_place=_manages(interaction),
    )


def _manages(interaction: Interaction) -> bool:
    """Tell whether Discord lets the person run the server, or the chat is their own."""
    if interaction.guild_id is None:
        return is_direct(interaction)
    return bool(interaction.permissions.manage_guild or interaction.permissions.administrator)


def is_direct(interaction: Interaction) -> bool:
    """Tell whether only the person and the bot read this channel."""
    return interaction.guild_id is None and interaction.context.dm_channel


def is_age_gated(channel: object) -> bool:
    """Tell whether the platform lets adults only into a channel."""
    if isinstance(channel, discord.Thread):
        channel = channel.parent
    return isinstance(channel, discord.abc.GuildChannel) and bool(getattr(channel, "nsfw", False))
