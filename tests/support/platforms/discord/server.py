"""The local Discord as one object: start it, let people do things, break it, look at it."""

import asyncio
from secrets import token_urlsafe
from typing import Any, Self

from aiohttp import web

from tests.support.platforms.discord.gateway import Gateway
from tests.support.platforms.discord.payloads import guild_object, interaction_object
from tests.support.platforms.discord.rest import DiscordError, Rest, answer
from tests.support.platforms.discord.world import (
    Channel,
    Interaction,
    World,
    snowflake,
    user_object,
)
from tests.support.platforms.faults import Fault, Faults

MAX_REQUEST = 200 * 1024 * 1024
SELECT, FILE = 3, 19  # component types


class DiscordServer:
    """REST, gateway and CDN on one port of 127.0.0.1."""

    def __init__(self) -> None:
        self.world = World()
        self.faults = Faults()
        self.gateway = Gateway(self.world)
        self.rest = Rest(self.world, "")
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Listen; port 0 takes any free one."""
        app = web.Application(middlewares=[self._middleware], client_max_size=MAX_REQUEST)
        app.add_routes([*self.rest.routes(), web.get("/gateway", self.gateway.connect)])
        app.add_routes([web.get("/gateway/", self.gateway.connect)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.rest.base_url = f"http://127.0.0.1:{self.port}"
        self.gateway.url = f"ws://127.0.0.1:{self.port}/gateway"

    async def stop(self) -> None:
        """Close every connection."""
        await self.gateway.drop()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        """Return what CLAPPER_DISCORD_API_URL should be."""
        return f"{self.rest.base_url}/api/v10"

    @property
    def gateway_url(self) -> str:
        """Return what CLAPPER_DISCORD_GATEWAY_URL should be."""
        return self.gateway.url

    def upload(self, name: str, content: bytes, content_type: str, **extra: Any) -> dict[str, Any]:
        """Put a file on the CDN; returns the attachment object that a user would send."""
        number = snowflake()
        path = f"attachments/{number}/{name}"
        self.world.uploads[path] = (content, content_type)
        url = f"{self.rest.base_url}/cdn/{path}"
        base = {"id": str(number), "filename": name, "size": len(content), "url": url}
        return {**base, "proxy_url": url, "content_type": content_type, **extra}

    async def command(
        self,
        name: str,
        user: int,
        channel: Channel,
        attachments: dict[str, dict[str, Any]] | None = None,
        locale: str = "en-US",
        people: dict[str, int] | None = None,
        channels: dict[str, Channel] | None = None,
        **options: Any,
    ) -> Interaction:
        """Let ``user`` use a slash command; ``name`` may have a subcommand after a space.

        ``attachments``, ``people`` (user ids) and ``channels`` go by the option that they fill.
        """
        files, chosen, places = attachments or {}, people or {}, channels or {}
        given = [_option(key, value) for key, value in options.items()]
        given += [{"name": key, "type": 11, "value": item["id"]} for key, item in files.items()]
        given += [{"name": key, "type": 6, "value": str(who)} for key, who in chosen.items()]
        given += [{"name": key, "type": 7, "value": str(c.id)} for key, c in places.items()]
        resolved = {
            "attachments": {item["id"]: item for item in files.values()},
            "users": {str(who): user_object(who) for who in chosen.values()},
            "channels": {str(c.id): {**c.payload(), "permissions": "0"} for c in places.values()},
        }
        root, *rest = name.split()
        for part in reversed(rest):
            given = [{"name": part, "type": 1, "options": given}]
        known = next((c for c in self.world.commands if c["name"] == root), {"id": "1"})
        data: dict[str, Any] = {"id": known["id"], "name": root, "type": 1, "options": given}
        return await self._interact(2, user, channel, {**data, "resolved": resolved}, locale)

    async def menu(
        self, name: str, user: int, channel: Channel, message: dict[str, Any]
    ) -> Interaction:
        """Let ``user`` choose a message context menu."""
        resolved = {"messages": {message["id"]: message}}
        data = {"id": "1", "name": name, "type": 3, "target_id": message["id"]}
        return await self._interact(2, user, channel, {**data, "resolved": resolved}, "en-US")

    async def press(
        self, message_id: int, custom_id: str, user: int, locale: str = "en-US"
    ) -> Interaction:
        """Let ``user`` press a button of a message."""
        stored = self.world.messages[message_id]
        channel = self.world.channels[stored.channel_id]
        data = {"custom_id": custom_id, "component_type": 2}
        return await self._interact(3, user, channel, data, locale, source=message_id)

    async def submit(
        self,
        opened: Interaction,
        user: int,
        values: dict[str, str],
        files: dict[str, dict[str, Any]] | None = None,
    ) -> Interaction:
        """Let ``user`` send the modal that ``opened`` was answered with; ``files`` by field."""
        modal = opened.modal
        assert modal is not None, "no modal was opened"  # a wrong test, not a fault
        sent = files or {}
        chosen = values | {name: file["id"] for name, file in sent.items()}
        rows = [_filled(row, chosen) for row in modal["components"]]
        resolved = {"attachments": {file["id"]: file for file in sent.values()}}
        data = {"custom_id": modal["custom_id"], "components": rows, "resolved": resolved}
        channel = self.world.channels[opened.channel_id]
        return await self._interact(5, user, channel, data, "en-US", source=opened.source)

    async def forge(self, message_id: int, custom_id: str, user: int) -> Interaction:
        """Let ``user`` send an empty form that was not opened for them."""
        channel = self.world.channels[self.world.messages[message_id].channel_id]
        data: dict[str, Any] = {"custom_id": custom_id, "components": [], "resolved": {}}
        return await self._interact(5, user, channel, data, "en-US", source=message_id)

    async def autocomplete(
        self, name: str, user: int, channel: Channel, focused: str, value: str
    ) -> list[dict[str, Any]]:
        """Return the choices offered while ``user`` types into the option ``focused``."""
        option = {"name": focused, "type": 3, "value": value, "focused": True}
        data = {"id": "1", "name": name, "type": 1, "options": [option]}
        interaction = await self._interact(4, user, channel, data, "en-US")
        await self.world.until(lambda: interaction.responses)
        return interaction.responses[0]["data"]["choices"]

    async def _interact(
        self,
        kind: int,
        user: int,
        channel: Channel,
        data: dict[str, Any],
        locale: str,
        source: int | None = None,
    ) -> Interaction:
        interaction = Interaction(snowflake(), _token(), channel.id, source)
        self.world.interactions[interaction.token] = interaction
        payload = interaction_object(self.world, interaction, kind, user, data, locale)
        if source is not None:
            payload["message"] = self.rest.payload(self.world.messages[source])
        interaction.payload = payload
        await self.gateway.dispatch("INTERACTION_CREATE", payload)
        return interaction

    async def join(self, channels: int = 1) -> list[Channel]:
        """Let somebody add the bot to a new server; returns its channels."""
        made = self.world.guild(channels)
        await self.gateway.dispatch("GUILD_CREATE", guild_object(self.world, made[0].guild_id or 0))
        return made

    async def repeat(self, interaction: Interaction) -> None:
        """Hand over the same event again."""
        await self.gateway.dispatch("INTERACTION_CREATE", interaction.payload)

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        path = request.path
        self.world.requests.append((request.method, path))
        size = request.content_length or 0
        fault = self.faults.take(request.method, path, size)
        if fault is None:
            return await self._answer(request, handler)
        self.world.notify()
        if fault.after_storing:
            response = await self._answer(request, handler)
            await asyncio.sleep(fault.delay_s)
            return self._fail(request, fault) or response
        if fault.after_bytes:
            await request.content.readexactly(fault.after_bytes)
        await asyncio.sleep(fault.delay_s)
        return self._fail(request, fault) or await self._answer(request, handler)

    async def _answer(self, request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            return await handler(request)
        except DiscordError as error:
            return answer(error.payload, error.status)

    def _fail(self, request: web.Request, fault: Fault) -> web.StreamResponse | None:
        if fault.drop and request.transport is not None:
            request.transport.abort()
            return web.Response()
        if fault.status is None:
            return None
        response = answer(fault.body, fault.status)
        response.headers.update(fault.headers)
        return response


def _token() -> str:
    """Return an interaction token that looks like a real one."""
    return f"aW50ZXJhY3Rpb246{snowflake()}{token_urlsafe(90)}"


def _option(name: str, value: object) -> dict[str, Any]:
    kinds: dict[type, int] = {str: 3, int: 4, bool: 5, float: 10}
    return {"name": name, "type": kinds[type(value)], "value": value}


def _filled(label: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
    """Return what Discord sends for one field: what was typed or chosen, else what stood there."""
    field: dict[str, Any] = label["component"]
    name, before = field["custom_id"], prefilled(field)
    value = values.get(name, before)
    listed = field["type"] in {SELECT, FILE}
    answer = {"values": [value] if value else []} if listed else {"value": value}
    return {
        "type": label["type"],
        "component": {"type": field["type"], "custom_id": name, **answer},
    }


def prefilled(field: dict[str, Any]) -> str:
    """Return what a field of a modal shows when it opens."""
    if field["type"] == SELECT:
        return next((o["value"] for o in field["options"] if o.get("default")), "")
    return field.get("value") or ""
