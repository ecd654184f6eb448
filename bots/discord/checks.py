"""Check for ``clapper doctor``: token, intents and rights, and build the invite link.

Uses REST only, with the same client library; changes nothing at Discord.
"""

import re
from collections.abc import Iterator

import aiohttp
import discord
from discord.http import Route

from bots.discord.address import PLATFORM
from core.domain.people import Requester
from core.i18n.messages import say
from core.interfaces.platform_check import PlatformCheck
from core.settings import Settings

NEEDED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    read_message_history=True,  # a delivery repeated after a crash looks for its earlier post
)
# any of these lets the bot ask for more than it uses
PRIVILEGED = ("gateway_presence", "gateway_guild_members", "gateway_message_content")
# three parts of base64; source: Discord's reference of authentication
_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
SHOWN = 5  # guilds named in one line


def invite_link(application_id: int) -> str:
    """Build the link that adds the bot to a guild with exactly the rights it uses."""
    return discord.utils.oauth_url(
        application_id, permissions=NEEDED, scopes=("bot", "applications.commands")
    )


def check_token(settings: Settings) -> list[PlatformCheck]:
    """Check whether the token looks like one of Discord's; a server of one's own takes any."""
    token = settings.discord.token
    if token is None or settings.discord.api_url or _TOKEN.fullmatch(token.get_secret_value()):
        return []
    return [PlatformCheck("Discord", "bad", say("dd_format"), say("dd_token_fix"))]


async def examine(settings: Settings) -> list[PlatformCheck]:
    """Check whether Discord accepts these settings; return one line for each finding."""
    token = settings.discord.token
    if token is None:
        return []
    async with discord.Client(intents=discord.Intents(guilds=True)) as client:
        try:
            await client.login(token.get_secret_value())
            application = await client.application_info()
            guilds = await client.http.request(Route("GET", "/users/@me/guilds"))
        except discord.LoginFailure:
            return [PlatformCheck("Discord", "bad", say("dd_token"), say("dd_token_fix"))]
        except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
            why = say("dd_unreachable", {"reason": type(error).__name__})
            return [PlatformCheck("Discord", "bad", why, say("dd_unreachable_fix"))]
        name = client.user.name if client.user else ""
    facts = {"name": name, "id": application.id, "count": len(guilds)}
    return [
        PlatformCheck("Discord", "good", say("dd_good", facts)),
        *_intents(application),
        *_rights(guilds),
        PlatformCheck("", "good", say("dd_invite", {"url": invite_link(application.id)})),
    ]


async def find_owner(settings: Settings) -> Requester | None:
    """Return who owns the application; of a team, its owner."""
    if settings.discord.token is None:
        return None
    async with discord.Client(intents=discord.Intents(guilds=True)) as client:
        try:
            await client.login(settings.discord.token.get_secret_value())
            application = await client.application_info()
        except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError):
            return None  # the check of the token tells why
    team = application.team
    owner = team.owner_id if team else application.owner.id
    return Requester(PLATFORM, str(owner)) if owner else None


def _intents(application: discord.AppInfo) -> Iterator[PlatformCheck]:
    flags = dict(application.flags)
    granted = [name for name in PRIVILEGED if flags.get(name) or flags.get(f"{name}_limited")]
    if granted:
        facts = {"names": ", ".join(granted)}
        yield PlatformCheck("", "note", say("dd_intents", facts), say("dd_intents_fix"))
    else:
        yield PlatformCheck("", "good", say("dd_intents_good"))


def _rights(guilds: list[dict[str, str]]) -> Iterator[PlatformCheck]:
    short: dict[str, list[str]] = {}
    for guild in guilds:
        has = discord.Permissions(int(guild["permissions"]))
        lacks = [
            name.replace("_", " ")
            for name, needed in NEEDED
            if needed and not getattr(has, name) and not has.administrator
        ]
        if lacks:
            short.setdefault(", ".join(lacks), []).append(guild["name"])
    for lacks, names in short.items():
        facts = {"names": ", ".join(names[:SHOWN]), "count": len(names), "rights": lacks}
        yield PlatformCheck("", "note", say("dd_rights", facts), say("dd_rights_fix"))
    if guilds and not short:
        yield PlatformCheck("", "good", say("dd_rights_good"))
