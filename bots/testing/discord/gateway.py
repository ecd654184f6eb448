"""The gateway: hello, identify, ready, heartbeats, resume, and dispatch of interactions."""

import asyncio
import json
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web

from bots.testing.discord.world import APPLICATION, BOT_USER, World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11


class Gateway:
    """All connections of one bot; events that nobody hears are kept and sent on resume."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.identified: list[dict[str, Any]] = []
        self.resumed = 0
        self.connected = asyncio.Event()
        self._socket: web.WebSocketResponse | None = None
        self._sequence = 0
        self._missed: list[dict[str, Any]] = []
        self._session = uuid4().hex
        self.url = ""

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until it closes."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await self._send(socket, HELLO, data={"heartbeat_interval": 41250})
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self._receive(socket, json.loads(frame.data))
        finally:
            if self._socket is socket:
                self._socket = None
                self.connected.clear()
        return socket

    async def dispatch(self, event: str, data: dict[str, Any]) -> None:
        """Send an event; without a connection it waits for the resume."""
        self._sequence += 1
        message = {"op": DISPATCH, "t": event, "s": self._sequence, "d": data}
        if self._socket is None or self._socket.closed:
            self._missed.append(message)
        else:
            await self._socket.send_str(json.dumps(message))

    async def drop(self, *, invalidate: bool = False) -> None:
        """Cut the connection; with ``invalidate`` the session cannot be resumed either."""
        if invalidate:
            self._session = uuid4().hex
        if self._socket is not None:
            await self._socket.close(code=4000)

    async def _receive(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        match message["op"]:
            case 1:
                await self._send(socket, ACK, data=None)
            case 2:
                await self._identify(socket, message["d"])
            case 6 if message["d"]["session_id"] == self._session:
                self._socket = socket
                self.resumed += 1
                for missed in self._missed:
                    await socket.send_str(json.dumps(missed))
                self._missed.clear()
                await self.dispatch("RESUMED", {})
                self.connected.set()
            case 6:
                await self._send(socket, INVALID, data=False)
            case _:
                pass

    async def _identify(self, socket: web.WebSocketResponse, data: dict[str, Any]) -> None:
        self.identified.append(data)
        self._socket = socket
        guilds = [{"id": str(guild), "unavailable": True} for guild in self.world.guilds]
        user = {"id": str(BOT_USER), "username": "clapper", "discriminator": "0", "bot": True}
        await self.dispatch(
            "READY",
            {
                "v": 10,
                "user": {**user, "avatar": None},
                "guilds": guilds,
                "session_id": self._session,
                "resume_gateway_url": self.url,
                "application": {"id": str(APPLICATION), "flags": 0},
                "shard": data.get("shard", [0, 1]),
            },
        )
        for guild_id, channels in self.world.guilds.items():
            await self.dispatch("GUILD_CREATE", self._guild(guild_id, channels))
        missed, self._missed = self._missed, []
        for message in missed:
            await socket.send_str(json.dumps(message))
        self.connected.set()
        self.world.notify()

    def _guild(self, guild_id: int, channels: list[int]) -> dict[str, Any]:
        role = {"id": str(guild_id), "name": "@everyone", "permissions": "0", "position": 0}
        return {
            "id": str(guild_id),
            "name": f"guild-{guild_id}",
            "owner_id": "1",
            "roles": [
                {**role, "color": 0, "colors": {"primary_color": 0}, "hoist": False}
                | {"managed": False, "mentionable": False, "flags": 0}
            ],
            "channels": [self.world.channels[channel].payload() for channel in channels],
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
            "preferred_locale": "en-US",
        }

    @staticmethod
    async def _send(socket: web.WebSocketResponse, op: int, *, data: object) -> None:
        await socket.send_str(json.dumps({"op": op, "d": data, "s": None, "t": None}))
