"""The gateway: hello, identify, ready, heartbeats, resume, and dispatch of interactions."""

import asyncio
import json
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web

from tests.support.platforms.discord.payloads import guild_object
from tests.support.platforms.discord.world import APPLICATION, BOT_USER, World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11


class Gateway:
    """One bot's session: every event is kept, and those it has not seen come with a resume."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.identified: list[dict[str, Any]] = []
        self.resumed = 0
        self.connected = asyncio.Event()
        self._socket: web.WebSocketResponse | None = None  # the newest
        self._older: list[web.WebSocketResponse] = []  # another process has not closed its own
        self._sequence = 0
        self._events: list[dict[str, Any]] = []  # of this session
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
            if socket in self._older:
                self._older.remove(socket)
            if self._socket is socket:
                self._socket = None
                self.connected.clear()
        return socket

    async def dispatch(self, event: str, data: dict[str, Any]) -> None:
        """Send an event to everybody connected; without a connection it waits for a resume."""
        self._sequence += 1
        message = {"op": DISPATCH, "t": event, "s": self._sequence, "d": data}
        self._events.append(message)
        own = event in ("READY", "GUILD_CREATE", "RESUMED")
        for socket in (self._socket, *(() if own else self._older)):
            if socket is not None and not socket.closed:
                await socket.send_str(json.dumps(message))

    async def drop(self, *, invalidate: bool = False, code: int = 4000) -> None:
        """Cut the connection with ``code``; ``invalidate``: the session cannot be resumed."""
        if invalidate:
            self._session = uuid4().hex
        socket, self._socket = self._socket, None
        self.connected.clear()
        if socket is not None:
            await socket.close(code=code)

    async def _receive(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        match message["op"]:
            case 1:
                await self._send(socket, ACK, data=None)
            case 2:
                await self._identify(socket, message["d"])
            case 6 if message["d"]["session_id"] == self._session:
                await self._resume(socket, int(message["d"]["seq"]))
            case 6:
                await self._send(socket, INVALID, data=False)
            case _:
                pass

    async def _resume(self, socket: web.WebSocketResponse, seen: int) -> None:
        self.resumed += 1
        for event in [event for event in self._events if event["s"] > seen]:
            await socket.send_str(json.dumps(event))
        self._socket = socket
        await self.dispatch("RESUMED", {})
        self.connected.set()
        self.world.notify()

    async def _identify(self, socket: web.WebSocketResponse, data: dict[str, Any]) -> None:
        self.identified.append(data)
        self._events.clear()  # what an older session missed is lost
        if self._socket is not None:
            self._older.append(self._socket)
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
        for guild_id in self.world.guilds:
            await self.dispatch("GUILD_CREATE", guild_object(self.world, guild_id))
        self.connected.set()
        self.world.notify()

    @staticmethod
    async def _send(socket: web.WebSocketResponse, op: int, *, data: object) -> None:
        await socket.send_str(json.dumps({"op": op, "d": data, "s": None, "t": None}))
