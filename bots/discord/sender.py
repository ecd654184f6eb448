"""Send one message by whichever method works, and translate Discord's errors into ours."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import aiohttp
import discord
import structlog
from discord.utils import MISSING

from bots.discord.address import DiscordAddress
from bots.discord.rendering import clip_text
from bots.shared.edit_scheduler import Throttled
from core.errors import DeliveryImpossible, DeliveryRetry
from core.interfaces.delivery import DeliveryAttempt

log = structlog.get_logger(__name__)

# Discord's JSON error codes; source: its documentation, "Opcodes and Status Codes". Every other
# refusal (unknown message or channel, missing access, closed direct messages, …) means that the
# next method is tried.
INVALID_TOKEN = 50027
TOO_LARGE = 40005
EDIT_TOO_OLD = 30046

HTTP_UNAUTHORIZED = 401
HTTP_TOO_LARGE = 413
HTTP_THROTTLED = 429
HTTP_SERVER = 500
USUAL_WAIT_S = 5.0
LOOK_BACK = 50  # messages searched for an earlier post of the same job


class DiscordFileTooLarge(Exception):
    """The destination accepts smaller files than it declared."""


class SendMethodUnavailable(Exception):
    """This method cannot reach the destination; try the next one."""


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """The content of a message; ``files`` opens fresh file objects, as an upload consumes them.

    Without ``files`` the message keeps what is attached to it: a late edit never takes a clip away.
    """

    content: str
    view: discord.ui.View
    files: Callable[[], list[discord.File]] | None = None


SendMethod: TypeAlias = Callable[[], Awaitable[str]]  # returns "channel/message"


class FallbackSender:
    """Edits or posts one message; tries each method in turn, the best first."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def send(self, at: DiscordAddress, out: OutgoingMessage, attempt: DeliveryAttempt) -> str:
        """Send ``out`` by the first method that works; return where it is now, ``channel/message``.

        Raises:
            DiscordFileTooLarge: a smaller file would go through.
            Throttled: not before some seconds.
            DeliveryRetry: the platform failed; it may have stored the message.
            DeliveryImpossible: no method works.
        """
        reasons: list[str] = []
        for name, method in self._methods(at, out, attempt):
            try:
                return await self._try_method(method)
            except SendMethodUnavailable as closed:
                reasons.append(f"{name}: {closed}")
        log.info("no_send_method_left", reasons=reasons)
        raise DeliveryImpossible("; ".join(reasons))

    async def edit_status(self, at: DiscordAddress, out: OutgoingMessage) -> None:
        """Edit the status message in place; never post another one.

        Raises:
            Throttled: not before some seconds.
            DeliveryRetry: the platform failed.
            SendMethodUnavailable: it cannot be edited.
        """
        if at.token_lives:
            try:
                await self._try_method(lambda: self.edit_by_token(at, out))
            except SendMethodUnavailable:  # the token died early
                if at.private:
                    raise
            else:
                return
        # shielded: the library's pause for all channels does not survive a cancellation
        await asyncio.shield(self._try_method(lambda: self.edit_by_bot(at, out)))

    def _methods(
        self, at: DiscordAddress, out: OutgoingMessage, attempt: DeliveryAttempt
    ) -> list[tuple[str, SendMethod]]:
        methods: list[tuple[str, SendMethod]] = []
        if at.token_lives:
            methods.append(("interaction", lambda: self.edit_by_token(at, out)))
        if not at.private:
            methods.append(("edit", lambda: self.edit_by_bot(at, out)))
            methods.append(("channel", lambda: self._post(at.channel_id, at, out, attempt)))
        methods.append(("direct", lambda: self._direct(at, out, attempt)))
        return methods

    async def edit_by_token(self, at: DiscordAddress, out: OutgoingMessage) -> str:
        """Edit the interaction's message; works without any right in the channel."""
        webhook = discord.Webhook.partial(at.application_id, at.token, client=self._client)
        await webhook.edit_message(at.message_id, **_edited(out))
        return f"{at.channel_id}/{at.message_id}"

    async def edit_by_bot(self, at: DiscordAddress, out: OutgoingMessage) -> str:
        """Edit the same message as the bot; works after the token expired."""
        channel = self._client.get_partial_messageable(at.channel_id)
        await channel.get_partial_message(at.message_id).edit(**_edited(out))
        return f"{at.channel_id}/{at.message_id}"

    async def remove(self, channel_id: int, message_id: int) -> None:
        """Delete a message of the bot's, if it can be reached."""
        channel = self._client.get_partial_messageable(channel_id)
        try:
            await channel.get_partial_message(message_id).delete()
        except (discord.HTTPException, discord.RateLimited, aiohttp.ClientError) as error:
            log.info("message_left_as_it_is", reason=type(error).__name__)

    async def take_away(self, channel_id: int, message_id: int, attempt: DeliveryAttempt) -> None:
        """Delete a message of the bot's, which may be gone; without an id look for it.

        Raises:
            Throttled, DeliveryRetry: not now.
            SendMethodUnavailable: the bot may not.
        """

        async def delete() -> str:
            channel = self._client.get_partial_messageable(channel_id)
            found = message_id or await self._posted(channel, 0, attempt)
            if found:
                with suppress(discord.NotFound):
                    await channel.get_partial_message(found).delete()
            return ""

        await self._try_method(delete)

    async def post(self, channel_id: int, out: OutgoingMessage, attempt: DeliveryAttempt) -> str:
        """Post ``out`` in a channel by itself, pinging nobody; return where, ``channel/message``.

        Raises:
            DiscordFileTooLarge: a smaller file would go through.
            Throttled, DeliveryRetry: not now.
            SendMethodUnavailable: the bot may not.
        """

        async def once() -> str:
            channel = self._client.get_partial_messageable(channel_id)
            found = await self._posted(channel, 0, attempt) if attempt.ambiguous else None
            if found is None:
                sent = await channel.send(
                    out.content,
                    nonce=attempt.nonce,
                    files=out.files() if out.files else [],
                    allowed_mentions=discord.AllowedMentions.none(),
                    view=out.view,
                )
                found = sent.id
            return f"{channel_id}/{found}"

        return await self._try_method(once)

    async def _post(
        self, channel_id: int, at: DiscordAddress, out: OutgoingMessage, attempt: DeliveryAttempt
    ) -> str:
        channel = self._client.get_partial_messageable(channel_id)
        if attempt.ambiguous:
            found = await self._posted(channel, at.message_id, attempt)
            if found is not None:
                return f"{channel_id}/{found}"
        mention = f"<@{at.user_id}>\n" if at.guild_id else ""
        user = discord.Object(at.user_id)
        sent = await channel.send(
            clip_text(mention + out.content),
            nonce=attempt.nonce,
            files=out.files() if out.files else [],
            allowed_mentions=discord.AllowedMentions(users=[user]),
            view=out.view,
        )
        return f"{channel_id}/{sent.id}"

    async def _posted(
        self, channel: discord.PartialMessageable, but: int, attempt: DeliveryAttempt
    ) -> int | None:
        """Look for the message, other than ``but``, that an earlier try may have posted.

        The nonce alone lasts minutes.
        """
        try:
            async for message in channel.history(limit=LOOK_BACK):
                if message.id != but and _is_of(message, attempt.nonce, self._client):
                    return message.id
        except discord.Forbidden:  # may post here but not look back: the nonce has to do
            return None
        return None

    async def _direct(
        self, at: DiscordAddress, out: OutgoingMessage, attempt: DeliveryAttempt
    ) -> str:
        data = await self._client.http.start_private_message(at.user_id)
        direct = replace(at, guild_id=None, channel_id=int(data["id"]))
        return await self._post(direct.channel_id, direct, out, attempt)

    async def _try_method(self, method: SendMethod) -> str:
        """Run one method; raise what went wrong as one of our errors.

        Raises:
            DiscordFileTooLarge: a smaller file would go through.
            Throttled: not before some seconds.
            DeliveryRetry: the platform failed; it may have stored the message.
            SendMethodUnavailable: this method does not work here.
            RuntimeError: a defect.
        """
        try:
            return await method()
        except discord.RateLimited as limited:
            raise Throttled(limited.retry_after) from limited
        except discord.HTTPException as error:
            meaning = delivery_error_of(error)
            raise meaning from error  # one of the four above
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryRetry(type(error).__name__, sent=True) from error
        except RuntimeError as error:  # what the library raises once it was closed
            if not self._client.is_closed():
                raise
            raise DeliveryRetry("closed", sent=True) from error


def delivery_error_of(error: discord.HTTPException) -> Exception:
    """Translate an error of Discord's into what it means for a delivery."""
    if error.status == HTTP_TOO_LARGE or error.code == TOO_LARGE:
        return DiscordFileTooLarge()
    if error.status == HTTP_THROTTLED and error.code != EDIT_TOO_OLD:
        return Throttled(_wait_s(error))
    if error.status >= HTTP_SERVER:
        return DeliveryRetry(f"http {error.status}", sent=True)
    if error.status == HTTP_UNAUTHORIZED and error.code != INVALID_TOKEN:
        return DeliveryRetry("the bot's token is refused")  # the operator must act; the job is fine
    return SendMethodUnavailable(f"{error.status}/{error.code}")


async def send_direct(
    client: discord.Client, user_id: int, text: str, view: discord.ui.View | None
) -> None:
    """Write to somebody in private."""
    opened = await client.http.start_private_message(user_id)
    await send_to(client, int(opened["id"]), text, view)


async def send_to(
    client: discord.Client, channel_id: int, text: str, view: discord.ui.View | None
) -> None:
    """Write into a channel."""
    channel = client.get_partial_messageable(channel_id)
    await channel.send(clip_text(text), view=view or MISSING)


def _wait_s(error: discord.HTTPException) -> float:
    try:
        return max(0.0, float(error.response.headers.get("Retry-After", "")))
    except ValueError:  # absent, or a date
        return USUAL_WAIT_S


def _edited(out: OutgoingMessage) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "content": out.content,
        "view": out.view,
        "allowed_mentions": discord.AllowedMentions.none(),
    }
    return fields if out.files is None else {**fields, "attachments": out.files()}


def _is_of(message: discord.Message, nonce: str, client: discord.Client) -> bool:
    """Tell whether a message is ours and belongs to the job whose nonce it is."""
    if client.user is None or message.author.id != client.user.id:
        return False
    ids = [getattr(item, "custom_id", "") for row in message.components for item in _children(row)]
    return message.nonce == nonce or any(nonce in str(name) for name in ids)


def _children(row: object) -> list[object]:
    return list(getattr(row, "children", []))
