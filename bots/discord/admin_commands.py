"""``/admin`` for operators: by numeric id or role, never by name; everything lands in the log."""

from dataclasses import fields
from typing import Literal

import discord
from discord import app_commands

from bots.discord.address import PLATFORM, Interaction
from bots.discord.localization import choices, text
from bots.discord.rendering import clip_text, texts_for
from bots.discord.submission import Counter
from core.domain.people import Requester
from core.domain.policy import Policy
from core.service.user_api import find_job

SHOWN = 15  # lines of a listing

RULES = tuple(rule.name for rule in fields(Policy))
Person = discord.User | discord.Member


class AdminGroup(app_commands.Group):
    """Status, pause, drain, resume, jobs, cancel, grant, block, policy and audit."""

    def __init__(self, counter: Counter) -> None:
        super().__init__(
            name="admin",
            description=text("d_admin"),
            default_permissions=discord.Permissions(manage_guild=True),
        )
        self._counter = counter
        self._desk = counter.desk

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """Let operators in; tell everybody else."""
        person = self._counter.person(interaction)
        if self._desk.is_operator(person):
            return True
        await self._say(interaction, "admin_only")
        return False

    @app_commands.command(name="status", description=text("d_admin_status"))
    async def status(self, interaction: Interaction) -> None:
        """Show intake, line, disk and version."""
        health = await self._desk.service.health()
        await self._show(interaction, texts_for(str(interaction.locale)).admin_status(health))

    @app_commands.command(name="pause", description=text("d_admin_pause"))
    async def pause(self, interaction: Interaction) -> None:
        """Take no new jobs."""
        await self._intake(interaction, "paused")

    @app_commands.command(name="drain", description=text("d_admin_drain"))
    async def drain(self, interaction: Interaction) -> None:
        """Take no new jobs because the service will stop."""
        await self._intake(interaction, "draining")

    @app_commands.command(name="resume", description=text("d_admin_resume"))
    async def resume(self, interaction: Interaction) -> None:
        """Take new jobs again."""
        await self._intake(interaction, "open")

    @app_commands.command(name="jobs", description=text("d_admin_jobs"))
    async def jobs(self, interaction: Interaction) -> None:
        """Show the whole line."""
        jobs = await self._desk.service.all_live()
        texts = texts_for(str(interaction.locale))
        await self._show(interaction, texts.admin_jobs(jobs[:SHOWN]))

    @app_commands.command(name="cancel", description=text("d_admin_cancel"))
    @app_commands.describe(job=text("o_job"))
    async def cancel(self, interaction: Interaction, job: str) -> None:
        """Stop anybody's job."""
        chosen = find_job(await self._desk.service.all_live(), job)
        actor = self._counter.person(interaction).requester
        await self._desk.service.cancel(chosen.id, actor, operator=True)
        await self._done(interaction, "cancel", chosen.id)

    @app_commands.command(name="grant", description=text("d_admin_grant"))
    @app_commands.describe(user=text("o_user"), minutes=text("o_minutes"))
    async def grant(
        self,
        interaction: Interaction,
        user: Person,
        minutes: app_commands.Range[float, 0.1, 10_000.0],
    ) -> None:
        """Give somebody more GPU time."""
        account = await self._desk.community.accounts.account(Requester(PLATFORM, str(user.id)))
        await self._desk.service.grant(account, round(minutes * 60_000))
        await self._done(interaction, "grant", account.key, f"{minutes:g} min")

    @app_commands.command(name="block", description=text("d_admin_block"))
    @app_commands.describe(user=text("o_user"), reason=text("o_reason"))
    async def block(self, interaction: Interaction, user: Person, reason: str = "") -> None:
        """Keep somebody from making videos."""
        person = Requester(PLATFORM, str(user.id))
        await self._desk.community.moderation.block(
            self._counter.person(interaction).requester, person, reason[:200]
        )
        await self._say(interaction, "admin_done", what=f"block {person.key}")

    @app_commands.command(name="unblock", description=text("d_admin_unblock"))
    @app_commands.describe(user=text("o_user"))
    async def unblock(self, interaction: Interaction, user: Person) -> None:
        """Let somebody make videos again."""
        person = Requester(PLATFORM, str(user.id))
        actor = self._counter.person(interaction).requester
        lifted = await self._desk.community.moderation.unblock(actor, person)
        if lifted:
            what = f"unblock {', '.join(who.key for who in lifted)}"
            await self._say(interaction, "admin_done", what=what)
        else:
            await self._say(interaction, "admin_not_blocked", who=person.key)

    @app_commands.command(name="policy", description=text("d_admin_policy"))
    @app_commands.describe(rule=text("o_rule"), value=text("o_value"))
    @app_commands.choices(rule=choices(RULES))
    async def policy(
        self, interaction: Interaction, rule: str | None = None, value: str = ""
    ) -> None:
        """Show or change the rules of this place."""
        person = self._counter.person(interaction)
        if rule is not None:
            await self._desk.community.moderation.set_rule(
                person.requester, person.place, rule, value
            )
        policy = await self._desk.community.moderation.policy(person.place)
        if policy == Policy():
            await self._say(interaction, "admin_no_policy", place=person.place)
            return
        rules = ", ".join(f"{name}: {value}" for name, value in policy.to_json().items() if value)
        await self._say(interaction, "admin_policy", place=person.place, rules=rules)

    @app_commands.command(name="audit", description=text("d_admin_audit"))
    async def audit(self, interaction: Interaction) -> None:
        """Show what operators did."""
        entries = await self._desk.community.audit.entries(SHOWN)
        await self._show(interaction, texts_for(str(interaction.locale)).admin_audit(entries))

    async def _intake(
        self, interaction: Interaction, state: Literal["open", "paused", "draining"]
    ) -> None:
        await self._desk.service.set_intake(state)
        await self._done(interaction, "intake", state)

    async def _done(
        self, interaction: Interaction, verb: str, target: str, detail: str = ""
    ) -> None:
        actor = self._counter.person(interaction).requester
        await self._desk.community.audit.note(actor, verb, target, detail)
        await self._say(interaction, "admin_done", what=f"{verb} {target} {detail}".strip())

    async def _say(self, interaction: Interaction, code: str, **data: object) -> None:
        await self._show(interaction, texts_for(str(interaction.locale)).say(code, **data))

    @staticmethod
    async def _show(interaction: Interaction, content: str) -> None:
        await interaction.response.send_message(clip_text(content), ephemeral=True)
