"""The objects that the local Discord sends, in the real service's field names."""

from typing import Any

from tests.support.platforms.discord.wire import BOT
from tests.support.platforms.discord.world import (
    APPLICATION,
    COMPONENTS,
    EPHEMERAL,
    LOADING,
    Channel,
    Interaction,
    Stored,
    World,
    user_object,
)


def role_object(role_id: int, name: str, rights: int = 0) -> dict[str, Any]:
    """Return a role."""
    looks = {"color": 0, "colors": {"primary_color": 0}, "hoist": False, "mentionable": False}
    rest = {"permissions": str(rights), "position": 0, "managed": False, "flags": 0}
    return {"id": str(role_id), "name": name, **looks, **rest}


def guild_object(world: World, guild_id: int) -> dict[str, Any]:
    """Return a guild as GUILD_CREATE carries it to a bot without members."""
    roles = [role_object(guild_id, "@everyone", world.guild_rights)]
    roles += [
        role_object(role, f"role-{role}", world.role_rights.get(role, 0))
        for role in world.role_ids()
    ]
    return {
        "id": str(guild_id),
        "name": f"guild-{guild_id}",
        "owner_id": str(world.owners.get(guild_id, 1)),
        "roles": roles,
        "channels": [world.channels[channel].payload() for channel in world.guilds[guild_id]],
        "members": [],
        "emojis": [],
        "stickers": [],
        "threads": [],
        "features": [],
        "premium_tier": 0,
        "member_count": 2,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "nsfw_level": 0,
        "afk_timeout": 60,
        "mfa_level": 0,
        "system_channel_flags": 0,
        "preferred_locale": world.guild_locale,
    }


def interaction_object(
    world: World,
    interaction: Interaction,
    kind: int,
    user: int,
    data: dict[str, Any],
    locale: str,
) -> dict[str, Any]:
    """Return what INTERACTION_CREATE carries."""
    channel = world.channels[interaction.channel_id]
    installed = {"0": str(channel.guild_id or 0)} if channel.bot_is_member else {"1": str(user)}
    payload: dict[str, Any] = {
        "id": str(interaction.id),
        "application_id": str(APPLICATION),
        "type": kind,
        "token": interaction.token,
        "version": 1,
        "data": data,
        "channel": channel.payload(),
        "channel_id": str(channel.id),
        "app_permissions": str(channel.rights),
        "locale": locale,
        "attachment_size_limit": world.declared_limit or world.upload_limit,
        "entitlements": [],
        "context": channel.context,
        "authorizing_integration_owners": installed,
    }
    return payload | _asker(world, channel, user)


_ALL = (1 << 50) - 1  # rights of a member
_RUNNING = 1 << 3 | 1 << 5  # administrator, and who manages the server


def _asker(world: World, channel: Channel, user: int) -> dict[str, Any]:
    if channel.guild_id is None:
        return {"user": user_object(user)}
    member = {
        "user": user_object(user),
        "roles": [str(role) for role in world.roles.get(user, ())],
        "permissions": str(_ALL if user in world.managers else _ALL & ~_RUNNING),
        "joined_at": None,
        "flags": 0,
        "deaf": False,
        "mute": False,
    }
    return {"member": member, "guild_id": str(channel.guild_id), "guild_locale": world.guild_locale}


def message_object(world: World, base_url: str, message: Stored) -> dict[str, Any]:
    """Return a message; its files become downloadable."""
    channel = world.channels.get(message.channel_id)
    return {
        "id": str(message.id),
        "channel_id": str(message.channel_id),
        "guild_id": str(channel.guild_id) if channel and channel.guild_id else None,
        "type": 0,
        "author": BOT,
        "content": str(message.payload.get("content") or ""),
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [
            _file_object(world, base_url, message, index, name)
            for index, name in enumerate(message.files)
        ],
        "embeds": message.payload.get("embeds") or [],
        "components": message.payload.get("components") or [],
        "flags": EPHEMERAL * message.ephemeral
        | LOADING * message.loading
        | COMPONENTS * message.is_layout,
        "pinned": False,
        "nonce": message.nonce,
        "application_id": str(APPLICATION),
    }


def _file_object(
    world: World, base_url: str, message: Stored, index: int, name: str
) -> dict[str, Any]:
    content = message.files[name]
    content_type = "video/mp4" if name.endswith(".mp4") else "image/png"
    path = f"sent/{message.id}/{name}"
    world.uploads[path] = (content, content_type)
    return {
        "id": str(message.id + index),
        "filename": name,
        "size": len(content),
        "url": f"{base_url}/cdn/{path}",
        "proxy_url": f"{base_url}/cdn/{path}",
        "content_type": content_type,
    }
