"""The ways to reach a person on Discord, best first, and what each platform error means for us."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import aiohttp
import discord
import structlog

from bots.discord.place import Address
from bots.edits import Throttled
from core.delivery import Attempt
from core.errors import DeliveryImpossible, DeliveryRetry

log = structlog.get_logger(__name__)

# Discord's JSON error codes; source: its documentation, "Opcodes and Status Codes"
UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
UNKNOWN_WEBHOOK = 10015
UNKNOWN_INTERACTION = 10062
MISSING_ACCESS = 50001
CANNOT_DM = 50007
MISSING_PERMISSIONS = 50013
INVALID_TOKEN = 50027
TOO_LARGE = 40005
EDIT_TOO_OLD = 30046
CANNOT_DM_EITHER = 50278

HTTP_TOO_LARGE = 413
HTTP_THROTTLED = 429
HTTP_SERVER = 500
LOOK_BACK = 50  # messages searched for an earlier post of the same job


class FileTooLarge(Exception):
    """The destination takes less than it said."""


class NextRung(Exception):
    """This way is closed; try the next one."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a message shall be; ``files`` makes fresh file objects, as an upload consumes them."""

    content: str
    view: discord.ui.View
    files: Callable[[], list[discord.File]]


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
        for name, rung in self._rungs(at, out, attempt):
            try:
                return await self.guarded(rung)
            except NextRung as closed:
                log.info("rung_closed", rung=name, reason=str(closed))
        raise DeliveryImpossible("unreachable")

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
        if attempt.ambiguous:  # Discord forgets a nonce within minutes
            async for message in channel.history(limit=LOOK_BACK):
                if message.nonce == attempt.nonce or _marked(message, attempt.nonce):
                    return f"{channel_id}/{message.id}"
        mention = f"<@{at.user_id}>\n" if at.guild_id else ""
        user = discord.Object(at.user_id)
        sent = await channel.send(
            mention + out.content,
            nonce=attempt.nonce,
            files=out.files(),
            allowed_mentions=discord.AllowedMentions(users=[user]),
            view=out.view,
        )
        return f"{channel_id}/{sent.id}"

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


def meaning_of(error: discord.HTTPException) -> Exception:
    """Return what an answer of Discord means for a delivery."""
    if error.status == HTTP_TOO_LARGE or error.code == TOO_LARGE:
        return FileTooLarge()
    if error.status == HTTP_THROTTLED:
        return Throttled(float(error.response.headers.get("Retry-After", "5")))
    if error.status >= HTTP_SERVER:
        return DeliveryRetry(f"http {error.status}", sent=True)
    return NextRung(f"http {error.status}, code {error.code}")


def _edited(out: Outgoing) -> dict[str, Any]:
    return {
        "content": out.content,
        "attachments": out.files(),
        "view": out.view,
        "allowed_mentions": discord.AllowedMentions.none(),
    }


def _marked(message: discord.Message, nonce: str) -> bool:
    """Return whether a message of ours carries the buttons of the job whose nonce it is."""
    ids = [getattr(item, "custom_id", "") for row in message.components for item in _children(row)]
    return any(nonce in str(name) for name in ids)


def _children(row: object) -> list[object]:
    return list(getattr(row, "children", []))
