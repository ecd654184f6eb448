"""The REST half: interactions, webhooks, channels and the CDN, with Discord's own error codes."""

from typing import Any

from aiohttp import web

from tests.support.platforms.discord.payloads import message_object
from tests.support.platforms.discord.rules import check_commands, check_message, check_modal
from tests.support.platforms.discord.wire import BOT, DiscordError, answer, body
from tests.support.platforms.discord.world import (
    APPLICATION,
    ATTACH,
    COMPONENTS,
    EPHEMERAL,
    HISTORY,
    SEND,
    VIEW,
    Interaction,
    Stored,
    World,
    snowflake,
    user_object,
)

DESCRIPTION = 400  # characters of an application's
MODAL = 9  # type of an answer to an interaction


class Rest:
    """Handlers; the server adds faults around them."""

    def __init__(self, world: World, base_url: str) -> None:
        self.world = world
        self.base_url = base_url

    def routes(self) -> list[web.RouteDef]:
        """Return every route of the API that exists here."""
        at, webhook = "/api/v10", "/webhooks/{application}/{token}"
        return [
            web.get(f"{at}/users/@me", self.me),
            web.get(f"{at}/oauth2/applications/@me", self.application),
            web.get(f"{at}/applications/@me", self.application),
            web.patch(f"{at}/applications/@me", self.describe),
            web.get(f"{at}/gateway/bot", self.gateway),
            web.get(f"{at}/users/@me/guilds", self.guilds),
            web.get(f"{at}/guilds/{{guild}}/members/{{user}}", self.member),
            web.put(f"{at}/applications/{{application}}/commands", self.sync),
            web.put(f"{at}/applications/{{application}}/guilds/{{guild}}/commands", self.sync),
            web.get(f"{at}/applications/{{application}}/commands", self.commands),
            web.post(f"{at}/interactions/{{id}}/{{token}}/callback", self.callback),
            web.post(f"{at}{webhook}", self.follow_up),
            web.get(f"{at}{webhook}/messages/{{message}}", self.webhook_get),
            web.patch(f"{at}{webhook}/messages/{{message}}", self.webhook_edit),
            web.delete(f"{at}{webhook}/messages/{{message}}", self.webhook_delete),
            web.get(f"{at}/channels/{{channel}}", self.channel),
            web.post(f"{at}/channels/{{channel}}/messages", self.post),
            web.get(f"{at}/channels/{{channel}}/messages", self.listing),
            web.get(f"{at}/channels/{{channel}}/messages/{{message}}", self.get),
            web.patch(f"{at}/channels/{{channel}}/messages/{{message}}", self.edit),
            web.delete(f"{at}/channels/{{channel}}/messages/{{message}}", self.delete),
            web.post(f"{at}/users/@me/channels", self.open_direct),
            web.get("/cdn/{name:.+}", self.download),
        ]

    async def me(self, request: web.Request) -> web.Response:
        if self.world.token and request.headers.get("Authorization") != f"Bot {self.world.token}":
            raise DiscordError(401, 0, "401: Unauthorized")
        return answer(BOT)

    async def application(self, request: web.Request) -> web.Response:
        del request
        info = {"id": str(APPLICATION), "name": "Clapper", "icon": None}
        info |= {"description": self.world.description}
        flags = {"bot_public": True, "bot_require_code_grant": False, "verify_key": "0" * 64}
        flags |= {"flags": self.world.application_flags}
        return answer({**info, **flags, "owner": {**BOT, "id": "9", "bot": False}})

    async def describe(self, request: web.Request) -> web.Response:
        text = (await request.json()).get("description", "")
        if len(text) > DESCRIPTION:
            raise DiscordError(400, 50035, "Invalid Form Body: description")
        self.world.description = text
        return await self.application(request)

    async def guilds(self, request: web.Request) -> web.Response:
        del request
        rights = str(self.world.guild_rights)
        found = [
            {"id": str(g), "name": f"guild-{g}", "permissions": rights} for g in self.world.guilds
        ]
        return answer(found)

    async def member(self, request: web.Request) -> web.Response:
        guild, user = int(request.match_info["guild"]), int(request.match_info["user"])
        if guild not in self.world.guilds:
            raise DiscordError(404, 10004, "Unknown Guild")
        if (guild, user) not in self.world.members:
            raise DiscordError(404, 10007, "Unknown Member")
        roles = [str(role) for role in self.world.roles.get(user, ())]
        return answer({"user": user_object(user), "roles": roles})

    async def gateway(self, request: web.Request) -> web.Response:
        del request
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        url = self.base_url.replace("http", "ws") + "/gateway"
        return answer({"url": url, "shards": 1, "session_start_limit": limit})

    async def sync(self, request: web.Request) -> web.Response:
        commands: list[dict[str, Any]] = await request.json()
        check_commands(commands)
        self.world.syncs += 1
        guild = request.match_info.get("guild")
        for command in commands:
            command |= {"id": str(snowflake()), "application_id": str(APPLICATION)}
            command |= {"version": "1", "default_member_permissions": None, "guild_id": guild}
            command.setdefault("type", 1)
            command.setdefault("description", "")
        self.world.synced_to.append(guild)
        self.world.commands = commands or self.world.commands
        self.world.notify()
        return answer(commands)

    async def commands(self, request: web.Request) -> web.Response:
        del request
        return answer(self.world.commands)

    async def callback(self, request: web.Request) -> web.Response:
        interaction = self._interaction(request.match_info["token"])
        payload, files = await body(request)
        if interaction.unknown:
            raise DiscordError(404, 10062, "Unknown interaction")
        if interaction.responses:
            raise DiscordError(400, 40060, "Interaction has already been acknowledged.")
        data: dict[str, Any] = payload.get("data") or {}
        if int(payload["type"]) == MODAL:
            check_modal(data)
        interaction.responses.append(payload)
        message = self._respond(interaction, int(payload["type"]), data, files)
        self.world.notify()
        if request.query.get("with_response") not in {"1", "true"}:
            return web.Response(status=204)
        reply: dict[str, Any] = {
            "interaction": {"id": str(interaction.id), "type": 2, "channel_id": "0"}
        }
        if message is not None:
            reply["interaction"]["response_message_id"] = str(message.id)
            reply["interaction"]["response_message_ephemeral"] = message.ephemeral
            reply["interaction"]["response_message_loading"] = payload["type"] == 5
            reply["resource"] = {"type": payload["type"], "message": self.payload(message)}
        return answer(reply)

    def _respond(
        self, interaction: Interaction, kind: int, data: dict[str, Any], files: dict[str, bytes]
    ) -> Stored | None:
        if kind in {4, 5}:
            message = Stored(snowflake(), interaction.channel_id)
            message.ephemeral = bool(int(data.get("flags") or 0) & EPHEMERAL)
            self.world.messages[message.id] = message
            interaction.original = message.id
            self._write(message, data, files)
            message.loading = kind == 5
            return message
        if kind in {6, 7} and interaction.source is not None:
            message = self.world.messages[interaction.source]
            interaction.original = message.id
            if kind == 7:
                self._write(message, data, files)
            return message
        return None

    async def follow_up(self, request: web.Request) -> web.Response:
        interaction = self._interaction(request.match_info["token"])
        payload, files = await body(request)
        message = Stored(snowflake(), interaction.channel_id)
        message.ephemeral = bool(int(payload.get("flags") or 0) & EPHEMERAL)
        self._write(message, payload, files)
        self.world.messages[message.id] = message
        self.world.notify()
        return answer(self.payload(message))

    async def webhook_get(self, request: web.Request) -> web.Response:
        return answer(self.payload(self._of_token(request)))

    async def webhook_edit(self, request: web.Request) -> web.Response:
        payload, files = await body(request)
        message = self._of_token(request)
        self._write(message, payload, files)
        message.edited_with.append("token")
        self.world.notify()
        return answer(self.payload(message))

    async def webhook_delete(self, request: web.Request) -> web.Response:
        self._of_token(request).deleted = True
        self.world.notify()
        return web.Response(status=204)

    async def channel(self, request: web.Request) -> web.Response:
        return answer(self._channel(request).payload())

    async def post(self, request: web.Request) -> web.Response:
        channel = self._channel(request)
        payload, files = await body(request)
        needed = VIEW | SEND | (ATTACH if files else 0)
        if channel.rights & needed != needed:
            raise DiscordError(403, 50013, "Missing Permissions")
        if channel.recipient in self.world.dm_closed:
            raise DiscordError(403, 50007, "Cannot send messages to this user")
        nonce = payload.get("nonce")
        for known in self.world.messages.values():
            if payload.get("enforce_nonce") and nonce and known.nonce == str(nonce):
                return answer(self.payload(known))
        message = Stored(snowflake(), channel.id, nonce=str(nonce) if nonce else None)
        self._write(message, payload, files)
        self.world.messages[message.id] = message
        self.world.notify()
        return answer(self.payload(message))

    async def listing(self, request: web.Request) -> web.Response:
        channel = self._channel(request)
        if not channel.rights & HISTORY:
            return answer([])
        shown = self.world.shown(channel.id)
        return answer([self.payload(m) for m in reversed(shown) if not m.ephemeral])

    async def get(self, request: web.Request) -> web.Response:
        return answer(self.payload(self._message(request)))

    async def edit(self, request: web.Request) -> web.Response:
        payload, files = await body(request)
        message = self._message(request)
        if files and not self._channel(request).rights & ATTACH:
            raise DiscordError(403, 50013, "Missing Permissions")
        self._write(message, payload, files)
        message.edited_with.append("bot")
        self.world.notify()
        return answer(self.payload(message))

    async def delete(self, request: web.Request) -> web.Response:
        self._message(request).deleted = True
        self.world.notify()
        return web.Response(status=204)

    async def open_direct(self, request: web.Request) -> web.Response:
        user = int((await request.json())["recipient_id"])
        return answer(self.world.direct(user).payload())

    async def download(self, request: web.Request) -> web.Response:
        found = self.world.uploads.get(request.match_info["name"])
        if found is None:
            raise DiscordError(404, 0, "This content is no longer available.")
        return web.Response(body=found[0], content_type=found[1])

    def _interaction(self, token: str) -> Interaction:
        found = self.world.interactions.get(token)
        if found is None:
            raise DiscordError(404, 10062, "Unknown interaction")
        if found.expired:
            raise DiscordError(401, 50027, "Invalid Webhook Token")
        return found

    def _of_token(self, request: web.Request) -> Stored:
        interaction = self._interaction(request.match_info["token"])
        name = request.match_info["message"]
        number = interaction.original if name == "@original" else int(name)
        found = self.world.messages.get(number or 0)
        if found is None or found.deleted:
            raise DiscordError(404, 10008, "Unknown Message")
        return found

    def _channel(self, request: web.Request) -> Any:
        found = self.world.channels.get(int(request.match_info["channel"]))
        if found is None:
            raise DiscordError(404, 10003, "Unknown Channel")
        if not found.rights & VIEW:
            raise DiscordError(403, 50001, "Missing Access")
        return found

    def _message(self, request: web.Request) -> Stored:
        self._channel(request)
        found = self.world.messages.get(int(request.match_info["message"]))
        if found is None or found.deleted or found.ephemeral:
            raise DiscordError(404, 10008, "Unknown Message")
        return found

    def _write(self, message: Stored, data: dict[str, Any], files: dict[str, bytes]) -> None:
        if any(len(content) > self.world.upload_limit for content in files.values()):
            raise DiscordError(413, 40005, "Request entity too large")
        check_message(data, files)
        was_layout = message.is_layout and "components" in data
        if was_layout and not int(data.get("flags") or 0) & COMPONENTS:
            raise DiscordError(400, 50035, "Invalid Form Body: it stays a message of components")
        if "attachments" in data:
            given: list[dict[str, Any]] = data["attachments"] or []
            kept = {item.get("filename") for item in given}
            message.files = {k: v for k, v in message.files.items() if k in kept}
        message.loading = False
        message.files |= files
        message.payload |= {key: value for key, value in data.items() if key != "attachments"}
        message.states.append(dict(message.payload))

    def payload(self, message: Stored) -> dict[str, Any]:
        """Return the message object."""
        return message_object(self.world, self.base_url, message)
