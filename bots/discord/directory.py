"""What Discord knows of people: who runs a server, who belongs to it, who has a role.

Asks for one member at a time, which needs no privileged intent; answers are kept for minutes.
"""

import time
from collections.abc import Iterable, Mapping

import aiohttp
import discord
import structlog

from bots.discord.address import PLATFORM, is_age_gated
from bots.shared.post_links import link_of
from core.domain.decoding import whole
from core.domain.feed import FeedPost
from core.domain.people import Asker

log = structlog.get_logger(__name__)

KEPT_S = 300.0  # how long an answer holds
MOST_KEPT = 10_000
_NO_ANSWER = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, TimeoutError)


class DiscordDirectory:
    """Implements :class:`core.interfaces.directory.PeopleDirectory`."""

    platform = PLATFORM

    def __init__(self, client: discord.Client, operator_roles: frozenset[str]) -> None:
        """Take the client, and the roles whose members are operators."""
        self._client = client
        self._operator_roles = operator_roles
        self._makers: frozenset[str] | None = None
        self._members: dict[tuple[int, str], tuple[float, frozenset[str] | None]] = {}

    async def is_run_by(self, place_id: str, people: Iterable[str]) -> bool:
        """Tell whether one of ``people``, or who made the bot, owns or manages a server."""
        guild = self._guild(place_id)
        if guild is None:
            return False
        if any(str(role.id) in self._operator_roles for role in guild.roles):
            return True
        runners = {*people, *await self._made_by()}
        if str(guild.owner_id) in runners:
            return True
        for person in sorted(runners):
            roles = await self._roles(guild, person)
            if roles is not None and _manages(guild, roles):
                return True
        return False

    async def is_member(self, user_id: str, place_id: str) -> bool:
        """Tell whether somebody belongs to a server that the bot is in."""
        guild = self._guild(place_id)
        return guild is not None and await self._roles(guild, user_id) is not None

    async def has_role(self, user_id: str, role_id: str) -> bool:
        """Tell whether somebody has a role of a server that the bot is in."""
        for guild in self._client.guilds:
            if guild.get_role(int(role_id)) is not None:
                return role_id in (await self._roles(guild, user_id) or ())
        return False

    def channel(self, address: Mapping[str, str]) -> Asker:
        """Return what is known of a channel; of one that the bot does not see, its id."""
        known = self._client.get_channel(whole(address, "channel"))
        parent = str(known.parent_id) if isinstance(known, discord.Thread) else ""
        gated = is_age_gated(known)
        return Asker(address.get("channel", ""), parent=parent, age_gated=gated)

    def link_of(self, post: FeedPost) -> str:
        """Return the address that opens a post of a feed; empty while it has none."""
        return link_of(post)

    def _guild(self, place_id: str) -> discord.Guild | None:
        return self._client.get_guild(int(place_id)) if place_id.isdecimal() else None

    async def _made_by(self) -> frozenset[str]:
        """Return who made the application, or the members of its team."""
        if self._makers is None:
            try:
                about = await self._client.application_info()
            except _NO_ANSWER as error:
                log.info("makers_unknown", reason=type(error).__name__)
                return frozenset()
            team = about.team.members if about.team else [about.owner]
            self._makers = frozenset(str(person.id) for person in team)
        return self._makers

    async def _roles(self, guild: discord.Guild, user_id: str) -> frozenset[str] | None:
        """Return the roles of a member; None where somebody is none, or nobody can say."""
        known = self._members.get((guild.id, user_id))
        if known is not None and known[0] > time.monotonic():
            return known[1]
        try:
            found = await self._client.http.get_member(guild.id, int(user_id))
        except discord.NotFound:
            roles = None
        except (*_NO_ANSWER, ValueError) as error:
            log.info("member_unknown", reason=type(error).__name__)
            return None
        else:
            roles = frozenset(str(role) for role in found["roles"])
        if len(self._members) >= MOST_KEPT:
            self._members.clear()
        self._members[guild.id, user_id] = (time.monotonic() + KEPT_S, roles)
        return roles


def _manages(guild: discord.Guild, roles: frozenset[str]) -> bool:
    held = [guild.default_role, *(role for role in guild.roles if str(role.id) in roles)]
    return any(one.permissions.administrator or one.permissions.manage_guild for one in held)
