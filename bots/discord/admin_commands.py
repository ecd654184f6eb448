"""``/admin`` for operators, known by numeric id or role; every change is in the audit log."""

from typing import Literal

import discord
from discord import app_commands

from bots.discord.address import PLATFORM, Interaction
from bots.discord.answers import answer
from bots.discord.feed_admin import choose_channel
from bots.discord.localization import choices, text
from bots.discord.rendering import texts_for
from bots.discord.submission import DiscordContext
from bots.shared.admin_texts import access_text, policy_text, typed_entry, word_text
from bots.shared.feed_texts import channels_text, chosen_text
from bots.shared.post_links import typed_post
from core.domain.access import AccessEntry
from core.domain.people import Requester
from core.domain.policy import EVERYWHERE, RULES
from core.service.operator_feed import ChannelKind

SHOWN = 15  # lines of a listing
REASON_LIMIT = 200  # characters of the reason of a block

DiscordUser = discord.User | discord.Member


class AdminGroup(app_commands.Group):
    """Status, pause, drain, resume, jobs, cancel, grant, block, policy and audit."""

    def __init__(self, context: DiscordContext) -> None:
        super().__init__(
            name="admin",
            description=text("d_admin"),
            default_permissions=discord.Permissions(manage_guild=True),
        )
        self._context = context

    @app_commands.command(name="status", description=text("d_admin_status"))
    async def status(self, interaction: Interaction) -> None:
        """Show intake, queue, disk and version."""
        health = await self._context.operator(interaction).health()
        await self._show(interaction, texts_for(str(interaction.locale)).admin_status(health))

    @app_commands.command(name="pause", description=text("d_admin_pause"))
    async def pause(self, interaction: Interaction) -> None:
        """Pause the intake of new jobs."""
        await self._intake(interaction, "paused")

    @app_commands.command(name="drain", description=text("d_admin_drain"))
    async def drain(self, interaction: Interaction) -> None:
        """Drain: accept no new jobs because the service will stop."""
        await self._intake(interaction, "draining")

    @app_commands.command(name="resume", description=text("d_admin_resume"))
    async def resume(self, interaction: Interaction) -> None:
        """Accept new jobs again."""
        await self._intake(interaction, "open")

    @app_commands.command(name="jobs", description=text("d_admin_jobs"))
    async def jobs(self, interaction: Interaction) -> None:
        """Show the whole queue."""
        jobs = await self._context.operator(interaction).all_live(SHOWN)
        texts = texts_for(str(interaction.locale))
        await self._show(interaction, texts.admin_jobs(jobs[:SHOWN]))

    @app_commands.command(name="cancel", description=text("d_admin_cancel"))
    @app_commands.describe(job=text("o_job"))
    async def cancel(self, interaction: Interaction, job: str) -> None:
        """Cancel anybody's job."""
        operator = self._context.operator(interaction)
        chosen = await operator.find(job)
        await operator.cancel(chosen.id)
        await self._done(interaction, "cancel", chosen.id)

    @app_commands.command(name="grant", description=text("d_admin_grant"))
    @app_commands.describe(user=text("o_user"), minutes=text("o_minutes"))
    async def grant(
        self,
        interaction: Interaction,
        user: DiscordUser,
        minutes: app_commands.Range[float, 0.1, 10_000.0],
    ) -> None:
        """Grant somebody more GPU time."""
        operator = self._context.operator(interaction)
        account = await operator.grant(_requester(user), minutes)
        await self._done(interaction, "grant", account.key, f"{minutes:g} min")

    @app_commands.command(name="block", description=text("d_admin_block"))
    @app_commands.describe(user=text("o_user"), reason=text("o_reason"))
    async def block(self, interaction: Interaction, user: DiscordUser, reason: str = "") -> None:
        """Block somebody from making videos."""
        person = _requester(user)
        await self._context.operator(interaction).block(person, reason[:REASON_LIMIT])
        await self._done(interaction, "block", person.key)

    @app_commands.command(name="unblock", description=text("d_admin_unblock"))
    @app_commands.describe(user=text("o_user"))
    async def unblock(self, interaction: Interaction, user: DiscordUser) -> None:
        """Lift the block of somebody."""
        person = _requester(user)
        lifted = await self._context.operator(interaction).unblock(person)
        if lifted:
            await self._done(interaction, "unblock", ", ".join(who.key for who in lifted))
        else:
            await self._say(interaction, "admin_not_blocked", who=person.key)

    @app_commands.command(name="policy", description=text("d_admin_policy"))
    @app_commands.describe(
        rule=text("o_rule"), value=text("o_value"), everywhere=text("o_everywhere")
    )
    @app_commands.choices(rule=choices(RULES))
    async def policy(
        self,
        interaction: Interaction,
        rule: str | None = None,
        value: str = "",
        everywhere: bool = False,  # noqa: FBT001, FBT002  # an option of a command
    ) -> None:
        """Show or change the rules of this place, or of all places."""
        operator = self._context.operator(interaction)
        place = EVERYWHERE if everywhere else self._context.caller(interaction).place
        if rule is not None and value:
            await operator.set_rule(place, rule, value)
        policy = await operator.policy(place)
        text_of = policy_text(texts_for(str(interaction.locale)), policy, place, "<#{}>")
        await self._show(interaction, text_of)

    @app_commands.command(name="test", description=text("d_admin_test"))
    @app_commands.describe(sentence=text("o_sentence"))
    async def test(self, interaction: Interaction, sentence: str) -> None:
        """Say whether a word rule refuses a sentence here."""
        place = self._context.caller(interaction).place
        found = await self._context.operator(interaction).forbidden_word(place, sentence)
        await self._show(interaction, word_text(texts_for(str(interaction.locale)), found))

    @app_commands.command(name="access", description=text("d_admin_access"))
    async def access(self, interaction: Interaction) -> None:
        """Show who asks for access, and who was let in here."""
        rows = await self._context.operator(interaction).access()
        await self._show(interaction, access_text(texts_for(str(interaction.locale)), rows))

    @app_commands.command(name="allow", description=text("d_admin_allow"))
    @app_commands.describe(user=text("o_user"), entry=text("o_entry"))
    async def allow(
        self, interaction: Interaction, user: DiscordUser | None = None, entry: str = ""
    ) -> None:
        """Let somebody, or everybody of something, use the bots; this server if nothing is said."""
        operator = self._context.operator(interaction)
        for one in self._entries(interaction, user, entry):
            await operator.allow(one)
            await self._say(interaction, "access_did_allow", entry=one.key)

    @app_commands.command(name="disallow", description=text("d_admin_disallow"))
    @app_commands.describe(user=text("o_user"), entry=text("o_entry"))
    async def disallow(
        self, interaction: Interaction, user: DiscordUser | None = None, entry: str = ""
    ) -> None:
        """Take back what was allowed."""
        operator = self._context.operator(interaction)
        for one in self._entries(interaction, user, entry):
            done = await operator.disallow(one)
            await self._say(
                interaction, "access_removed" if done else "access_absent", entry=one.key
            )

    def _entries(
        self, interaction: Interaction, user: DiscordUser | None, entry: str
    ) -> list[AccessEntry]:
        if user is not None:
            return [AccessEntry.of_person(_requester(user))]
        if entry.strip():
            return typed_entry(entry)
        return [AccessEntry.of_place(self._context.caller(interaction).place)]

    @app_commands.command(name="feed", description=text("d_admin_feed"))
    @app_commands.describe(
        channel=text("o_feed_channel"),
        reports=text("o_feed_reports"),
        everywhere=text("o_feed_everywhere"),
        off=text("o_feed_off"),
    )
    async def feed(
        self,
        interaction: Interaction,
        channel: app_commands.AppCommandChannel | None = None,
        reports: bool = False,  # noqa: FBT001, FBT002  # an option of a command
        everywhere: bool = False,  # noqa: FBT001, FBT002  # an option of a command
        off: bool = False,  # noqa: FBT001, FBT002  # an option of a command
    ) -> None:
        """Show, choose or close the channel where people publish clips, or reports are read."""
        context, texts = self._context, texts_for(str(interaction.locale))
        feed, place = context.operator(interaction).feed, context.caller(interaction).place
        kind = ChannelKind.LOG if reports else ChannelKind.FEED
        if off:
            await feed.drop(EVERYWHERE if everywhere else place, kind)
        elif channel is not None:
            target = await choose_channel(
                context, interaction, channel, kind, everywhere=everywhere
            )
            await self._show(interaction, chosen_text(texts, kind, target))
            return
        await self._show(interaction, channels_text(texts, await feed.channels(place)))

    @app_commands.command(name="takedown", description=text("d_admin_takedown"))
    @app_commands.describe(post=text("o_feed_post"))
    async def takedown(self, interaction: Interaction, post: str) -> None:
        """Remove a post from its feed."""
        gone = await self._context.operator(interaction).feed.take_down(typed_post(post))
        await self._say(interaction, "feed_did_take_down", post=gone.id, title=gone.target.title)

    @app_commands.command(name="audit", description=text("d_admin_audit"))
    async def audit(self, interaction: Interaction) -> None:
        """Show the audit log."""
        entries = await self._context.operator(interaction).audit(SHOWN)
        await self._show(interaction, texts_for(str(interaction.locale)).admin_audit(entries))

    async def _intake(
        self, interaction: Interaction, state: Literal["open", "paused", "draining"]
    ) -> None:
        await self._context.operator(interaction).set_intake(state)
        await self._done(interaction, "intake", state)

    async def _done(
        self, interaction: Interaction, verb: str, target: str, detail: str = ""
    ) -> None:
        await self._say(interaction, "admin_done", what=f"{verb} {target} {detail}".strip())

    async def _say(self, interaction: Interaction, code: str, **data: object) -> None:
        await self._show(interaction, texts_for(str(interaction.locale)).say(code, **data))

    @staticmethod
    async def _show(interaction: Interaction, content: str) -> None:
        await answer(interaction, content)


def _requester(user: DiscordUser) -> Requester:
    return Requester(PLATFORM, str(user.id))
