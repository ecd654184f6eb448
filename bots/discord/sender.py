"""The ways to reach a person on Discord, best first, and what each platform error means for us."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import aiohttp
import discord
import structlog

from bots.discord.address import Address
from bots.shared.edit_scheduler import Throttled
from core.errors import DeliveryImpossible, DeliveryRetry
from core.interfaces.delivery import Attempt

log = structlog.get_logger(__name__)

# Discord's JSON error codes; source: its documentation, "Opcodes and Status Codes". Every other
# refusal (unknown message or channel, missing access, closed direct messages, …) means: next way.
INVALID_TOKEN = 50027
TOO_LARGE = 40005
EDIT_TOO_OLD = 30046

HTTP_UNAUTHORIZED = 401
HTTP_TOO_LARGE = 413
HTTP_THROTTLED = 429
HTTP_SERVER = 500
USUAL_WAIT_S = 5.0
LOOK_BACK = 50  # messages searched for an earlier post of the same job


class FileTooLarge(Exception):
    """The destination takes less than it said."""


class NextRung(Exception):
    """This way is closed; try the next one."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a message shall be; ``files`` makes fresh file objects, as an upload consumes them.

    Without ``files`` the message keeps what is attached to it: a late edit never takes a clip away.
    """

    content: str
    view: discord.ui.View
    files: Callable[[], list[discord.File]] | None = None


Rung: TypeAlias = Callable[[], Awaitable[str]]  # returns "channel/message"


class Ladder:
    """Edits or posts one message, trying each way in turn."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def climb(self, at: Address, out: Outgoing, attempt: Attempt) -> str:
        """Bring ``out`` to the person; returns where it stands now, ``channel/message``.

        Raises:
            FileTooLarge: a smaller file would go through.
            Throttled: not before some seconds.
            DeliveryRetry: the platform failed; it may have stored the message.
            DeliveryImpossible: no way is open.
        """
        reasons: list[str] = []
        for name, rung in self._rungs(at, out, attempt):
            try:
                return await self.guarded(rung)
            except NextRung as closed:
                reasons.append(f"{name}: {closed}")
        log.info("no_way_open", reasons=reasons)
        raise DeliveryImpossible("; ".join(reasons))

    async def touch(self, at: Address, out: Outgoing) -> None:
        """Edit the status message where it stands; no other message is made.

        Raises:
            FileTooLarge: never, as there is no file.
            Throttled: not before some seconds.
            DeliveryRetry: the platform failed.
            NextRung: it cannot be edited.
        """
        if at.token_lives:
            try:
                await self.guarded(lambda: self.edit_by_token(at, out))
            except NextRung:  # the token died early
                if at.private:
                    raise
            else:
                return
        # shielded: the library's pause for all channels does not survive a cancellation
        await asyncio.shield(self.guarded(lambda: self.edit_by_bot(at, out)))

    def _rungs(self, at: Address, out: Outgoing, attempt: Attempt) -> list[tuple[str, Rung]]:
        rungs: list[tuple[str, Rung]] = []
        if at.token_lives:
            rungs.append(("interaction", lambda: self.edit_by_token(at, out)))
        if not at.private:
            rungs.append(("edit", lambda: self.edit_by_bot(at, out)))
            rungs.append(("channel", lambda: self._post(at.channel_id, at, out, attempt)))
        rungs.append(("direct", lambda: self._direct(at, out, attempt)))
        return rungs

    async def edit_by_token(self, at: Address, out: Outgoing) -> str:
        """Edit the interaction's message; works without any right in the channel."""
        webhook = discord.Webhook.partial(at.application_id, at.token, client=self._client)
        await webhook.edit_message(at.message_id, **_edited(out))
        return f"{at.channel_id}/{at.message_id}"

    async def edit_by_bot(self, at: Address, out: Outgoing) -> str:
        """Edit the same message as the bot; works after the token expired."""
        channel = self._client.get_partial_messageable(at.channel_id)
        await channel.get_partial_message(at.message_id).edit(**_edited(out))
        return f"{at.channel_id}/{at.message_id}"

    async def _post(self, channel_id: int, at: Address, out: Outgoing, attempt: Attempt) -> str:
        channel = self._client.get_partial_messageable(channel_id)
        if attempt.ambiguous:
            found = await self._posted(channel, at, attempt)
            if found is not None:
                return f"{channel_id}/{found}"
        mention = f"<@{at.user_id}>\n" if at.guild_id else ""
        user = discord.Object(at.user_id)
        sent = await channel.send(
            mention + out.content,
            nonce=attempt.nonce,
            files=out.files() if out.files else [],
            allowed_mentions=discord.AllowedMentions(users=[user]),
            view=out.view,
        )
        return f"{channel_id}/{sent.id}"

    async def _posted(
        self, channel: discord.PartialMessageable, at: Address, attempt: Attempt
    ) -> int | None:
        """Return the message that an earlier try may have posted; the nonce lasts minutes only."""
        try:
            async for message in channel.history(limit=LOOK_BACK):
                if message.id != at.message_id and _is_of(message, attempt.nonce, self._client):
                    return message.id
        except discord.Forbidden:  # may post here but not look back: the nonce has to do
            return None
        return None

    async def _direct(self, at: Address, out: Outgoing, attempt: Attempt) -> str:
        data = await self._client.http.start_private_message(at.user_id)
        direct = replace(at, guild_id=None, channel_id=int(data["id"]))
        return await self._post(direct.channel_id, direct, out, attempt)

    async def guarded(self, rung: Rung) -> str:
        """Run one way and tell in our words what went wrong.

        Raises:
            FileTooLarge: a smaller file would go through.
            Throttled: not before some seconds.
            DeliveryRetry: the platform failed; it may have stored the message.
            NextRung: this way is closed.
            RuntimeError: a defect.
        """
        try:
            return await rung()
        except discord.RateLimited as limited:
            raise Throttled(limited.retry_after) from limited
        except discord.HTTPException as error:
            meaning = meaning_of(error)
            raise meaning from error  # one of the four above
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryRetry(type(error).__name__, sent=True) from error
        except RuntimeError as error:  # what the library raises once it was closed
            if not self._client.is_closed():
                raise
            raise DeliveryRetry("closed", sent=True) from error


def meaning_of(error: discord.HTTPException) -> Exception:
    """Return what an answer of Discord means for a delivery."""
    if error.status == HTTP_TOO_LARGE or error.code == TOO_LARGE:
        return FileTooLarge()
    if error.status == HTTP_THROTTLED and error.code != EDIT_TOO_OLD:
        return Throttled(_wait_s(error))
    if error.status >= HTTP_SERVER:
        return DeliveryRetry(f"http {error.status}", sent=True)
    if error.status == HTTP_UNAUTHORIZED and error.code != INVALID_TOKEN:
        return DeliveryRetry("the bot's token is refused")  # the operator's doing, not this job's
    return NextRung(f"{error.status}/{error.code}")


def _wait_s(error: discord.HTTPException) -> float:
    try:
        return max(0.0, float(error.response.headers.get("Retry-After", "")))
    except ValueError:  # absent, or a date
        return USUAL_WAIT_S


def _edited(out: Outgoing) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "content": out.content,
        "view": out.view,
        "allowed_mentions": discord.AllowedMentions.none(),
    }
    return fields if out.files is None else {**fields, "attachments": out.files()}


def _is_of(message: discord.Message, nonce: str, client: discord.Client) -> bool:
    """Return whether a message is ours and belongs to the job whose nonce it is."""
    if client.user is None or message.author.id != client.user.id:
        return False
    ids = [getattr(item, "custom_id", "") for row in message.components for item in _children(row)]
    return message.nonce == nonce or any(nonce in str(name) for name in ids)


def _children(row: object) -> list[object]:
    return list(getattr(row, "children", []))
