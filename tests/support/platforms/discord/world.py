"""What exists on the local Discord: people, places, messages; plain records in its own words."""

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

APPLICATION = 100000000000000001
BOT_USER = 100000000000000002
EPOCH_MS = 1420070400000  # Discord's first millisecond; ids carry their time

VIEW = 1 << 10
SEND = 1 << 11
EMBED = 1 << 14
ATTACH = 1 << 15
HISTORY = 1 << 16
THREADS = 1 << 38
ALL_RIGHTS = VIEW | SEND | EMBED | ATTACH | HISTORY | THREADS
EPHEMERAL = 64
COMPONENTS = 1 << 15  # a message of components: no text beside them
LOADING = 128
SECTION, TEXT, THUMBNAIL = 9, 10, 11  # types of components

_counter = itertools.count(1)


def snowflake() -> int:
    """Return a fresh id that sorts by time, as Discord's do."""
    return ((int(time.time() * 1000) - EPOCH_MS) << 22) | (next(_counter) & 0x3FFFFF)


def user_object(user_id: int | None) -> dict[str, Any]:
    """Return a person."""
    name = {"username": f"user{user_id}", "global_name": None}
    return {"id": str(user_id), **name, "discriminator": "0", "avatar": None}


def parts_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every component of a message, those inside others too."""
    found: list[dict[str, Any]] = []
    waiting = list(message.get("components") or [])
    while waiting:
        one = waiting.pop(0)
        found.append(one)
        inner = [one["accessory"]] if "accessory" in one else []
        waiting = [*one.get("components", ()), *inner, *waiting]
    return found


@dataclass
class Channel:
    """A text channel; without a guild a direct message, or a group of people without the bot."""

    id: int
    guild_id: int | None
    recipient: int | None = None
    rights: int = ALL_RIGHTS  # the bot's
    nsfw: bool = False
    bot_is_member: bool = True  # False: the app is installed by the person only
    members: tuple[int, ...] = ()  # of a group message

    @property
    def context(self) -> int:
        """Return where an interaction happens: guild, direct message with the bot, elsewhere."""
        if self.guild_id is not None:
            return 0
        return 2 if self.members else 1

    def payload(self) -> dict[str, Any]:
        """Return the channel object."""
        if self.members:
            people = [user_object(user) for user in self.members]
            return {"id": str(self.id), "type": 3, "recipients": people, "name": None}
        if self.guild_id is None:
            return {"id": str(self.id), "type": 1, "recipients": [user_object(self.recipient)]}
        return {
            "id": str(self.id),
            "type": 0,
            "guild_id": str(self.guild_id),
            "name": f"channel-{self.id}",
            "position": 0,
            "permission_overwrites": [],
            "nsfw": self.nsfw,
        }


@dataclass
class Stored:
    """One message with every state it had."""

    id: int
    channel_id: int
    ephemeral: bool = False
    loading: bool = False  # deferred, nothing shown yet
    nonce: str | None = None
    payload: dict[str, Any] = field(default_factory=dict[str, Any])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    states: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    deleted: bool = False
    edited_with: list[str] = field(default_factory=list[str])  # "token" or "bot"

    @property
    def content(self) -> str:
        """Return the text of the message now, wherever in it."""
        own = self.payload.get("content") or ""
        return "\n".join([own, *(one["content"] for one in self.parts() if one["type"] == TEXT)])

    @property
    def videos(self) -> list[bytes]:
        """Return the MP4 files attached now."""
        return [data for name, data in self.files.items() if name.endswith(".mp4")]

    @property
    def is_layout(self) -> bool:
        """Tell whether the message consists of components."""
        return bool(int(self.payload.get("flags") or 0) & COMPONENTS)

    def parts(self) -> list[dict[str, Any]]:
        """Return every component, those inside others too."""
        return parts_of(self.payload)

    def stills(self) -> list[tuple[bytes, bool]]:
        """Return the pictures beside texts now, and whether each is hidden until a click."""
        shown = [one for one in self.parts() if one["type"] == THUMBNAIL]
        names = [one["media"]["url"].removeprefix("attachment://") for one in shown]
        return [
            (self.files[name], bool(one.get("spoiler")))
            for name, one in zip(names, shown, strict=True)
        ]

    def buttons(self) -> list[dict[str, Any]]:
        """Return all buttons shown now."""
        return [item for item in self.parts() if "custom_id" in item]

    def custom_ids(self) -> list[str]:
        """Return the custom ids of all buttons shown now."""
        return [item["custom_id"] for item in self.buttons()]

    def label(self, fragment: str) -> str:
        """Return what the button says that has ``fragment`` in its id."""
        return next(item["label"] for item in self.buttons() if fragment in item["custom_id"])

    def button(self, fragment: str) -> str:
        """Return the custom id of the button that has ``fragment`` in its id."""
        return next(name for name in self.custom_ids() if fragment in name)


@dataclass
class Interaction:
    """One interaction as the server knows it; ``expired`` kills its token."""

    id: int
    token: str
    channel_id: int
    source: int | None = None  # the message whose button was pressed
    responses: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    original: int | None = None
    expired: bool = False
    unknown: bool = False  # Discord has given up waiting
    payload: dict[str, Any] = field(default_factory=dict[str, Any])  # as it was sent

    @property
    def modal(self) -> dict[str, Any] | None:
        """Return the modal that answered it, if one did."""
        return next((r["data"] for r in self.responses if r["type"] == 9), None)


class World:
    """Everything that exists; ``until`` waits for a condition on it."""

    def __init__(self, upload_limit: int = 10 * 1024 * 1024) -> None:
        self.upload_limit = upload_limit  # bytes of one file
        self.declared_limit = 0  # what interactions say instead, if anything
        self.token = ""  # of the bot; empty takes any
        self.application_flags = 0
        self.description = ""  # of the application
        self.guild_locale = "en-US"  # of every guild, by its settings
        self.guild_rights = ALL_RIGHTS  # the bot's, by its roles
        self.owners: dict[int, int] = {}  # guild → who owns it; 1 unless it is said
        self.role_rights: dict[int, int] = {}  # of a role; none unless it is said
        self.members: set[tuple[int, int]] = set()  # guild and user
        self.roles: dict[int, list[int]] = {}  # user → role ids, in every guild
        self.managers: set[int] = set()  # who may run every guild
        self.channels: dict[int, Channel] = {}
        self.guilds: dict[int, list[int]] = {}
        self.messages: dict[int, Stored] = {}
        self.interactions: dict[str, Interaction] = {}
        self.uploads: dict[str, tuple[bytes, str]] = {}  # CDN name → bytes, content type
        self.commands: list[dict[str, Any]] = []
        self.syncs = 0
        self.synced_to: list[str | None] = []  # guild ids, None is everywhere
        self.dm_closed: set[int] = set()
        self.requests: list[tuple[str, str]] = []
        self._changed = asyncio.Event()

    def guild(self, channels: int = 1) -> list[Channel]:
        """Make a guild with text channels."""
        guild_id = snowflake()
        made = [Channel(snowflake(), guild_id) for _ in range(channels)]
        self.guilds[guild_id] = [channel.id for channel in made]
        self.channels.update({channel.id: channel for channel in made})
        return made

    def direct(self, user_id: int) -> Channel:
        """Return the direct-message channel of a user."""
        for channel in self.channels.values():
            if channel.guild_id is None and channel.recipient == user_id:
                return channel
        channel = Channel(snowflake(), None, recipient=user_id)
        self.channels[channel.id] = channel
        return channel

    def group(self, *members: int) -> Channel:
        """Make a group message; the bot is not in it, its commands are."""
        channel = Channel(snowflake(), None, rights=0, bot_is_member=False, members=members)
        self.channels[channel.id] = channel
        return channel

    def role_ids(self) -> list[int]:
        """Return every role that somebody has."""
        return sorted({role for roles in self.roles.values() for role in roles})

    def expire_tokens(self) -> None:
        """Let a quarter of an hour pass for every interaction so far."""
        for interaction in self.interactions.values():
            interaction.expired = True

    def notify(self) -> None:
        """Wake everybody who waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, condition: Callable[[], Any], timeout: float = 60.0) -> Any:
        """Return the first true value of ``condition``, tried after every change.

        Raises:
            TimeoutError: it never became true.
        """
        async with asyncio.timeout(timeout):
            while not (value := condition()):
                await self._changed.wait()
            return value

    def shown(self, channel_id: int | None = None) -> list[Stored]:
        """Return the messages that people can see, oldest first."""
        return [
            message
            for message in sorted(self.messages.values(), key=lambda item: item.id)
            if not message.deleted and channel_id in {None, message.channel_id}
        ]

    def with_video(self, channel_id: int | None = None) -> list[Stored]:
        """Return the messages that show an MP4."""
        return [message for message in self.shown(channel_id) if message.videos]
