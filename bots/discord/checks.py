"""What ``clapper doctor`` asks Discord: is the token taken, which rights are there, and the invite.

Only REST is used, with the same client library; nothing is changed there.
"""

from collections.abc import Iterator

import aiohttp
import discord
from discord.http import Route

from core.app.frontend import Check
from core.i18n.messages import say
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
SHOWN = 5  # guilds named in one line


def invite_link(application_id: int) -> str:
    """Return the address that adds the bot to a guild with the rights it uses, and no others."""
    return discord.utils.oauth_url(
        application_id, permissions=NEEDED, scopes=("bot", "applications.commands")
    )


async def examine(settings: Settings) -> list[Check]:
    """Return what is well and what is not between these settings and Discord."""
    token = settings.discord.token
    if token is None:
        return []
    async with discord.Client(intents=discord.Intents(guilds=True)) as client:
        try:
            await client.login(token.get_secret_value())
            application = await client.application_info()
            guilds = await client.http.request(Route("GET", "/users/@me/guilds"))
        except discord.LoginFailure:
            return [Check("Discord", "bad", say("dd_token"), say("dd_token_fix"))]
        except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
            why = say("dd_unreachable", {"reason": type(error).__name__})
            return [Check("Discord", "bad", why, say("dd_unreachable_fix"))]
        name = client.user.name if client.user else ""
    facts = {"name": name, "id": application.id, "count": len(guilds)}
    return [
        Check("Discord", "good", say("dd_good", facts)),
        *_intents(application),
        *_rights(guilds),
        Check("", "good", say("dd_invite", {"url": invite_link(application.id)})),
    ]


def _intents(application: discord.AppInfo) -> Iterator[Check]:
    flags = dict(application.flags)
    granted = [name for name in PRIVILEGED if flags.get(name) or flags.get(f"{name}_limited")]
    if granted:
        facts = {"names": ", ".join(granted)}
        yield Check("", "note", say("dd_intents", facts), say("dd_intents_fix"))
    else:
        yield Check("", "good", say("dd_intents_good"))


def _rights(guilds: list[dict[str, str]]) -> Iterator[Check]:
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
        yield Check("", "note", say("dd_rights", facts), say("dd_rights_fix"))
    if guilds and not short:
        yield Check("", "good", say("dd_rights_good"))
