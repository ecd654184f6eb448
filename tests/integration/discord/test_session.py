"""Gateway, sync, shutdown, places without the bot, roles and rules; nothing secret is logged."""

import asyncio
import json
import re

import pytest

from bots.discord.front import TOKEN_REFUSED
from core.app.logs import secrets_of, set_up_logging
from core.app.serve import run_all
from core.domain.jobs import JobState
from core.errors.setup import BadConfiguration
from core.service.front_board import ConnectionState, FrontBoard
from tests.support.platforms.discord.payloads import role_object
from tests.support.platforms.faults import Fault

ANN, BEN, OP = 501, 502, 900


async def test_a_resume_brings_what_happened_meanwhile(guild) -> None:
    await guild.server.gateway.drop()
    asked = await guild.t2v()

    await guild.clip(asked)

    assert guild.server.gateway.resumed == 1
    assert len(guild.server.gateway.identified) == 1


async def test_an_invalid_session_begins_anew_and_what_runs_is_delivered(guild) -> None:
    guild.executor.gate.clear()
    before = await guild.t2v()
    await guild.executor.started.wait()
    await guild.server.gateway.drop(invalidate=True)
    await guild.world.until(lambda: len(guild.server.gateway.identified) == 2)
    guild.executor.gate.set()

    await guild.clip(before)
    await guild.clip(await guild.t2v())


async def test_a_token_that_is_revoked_while_it_serves_ends_the_front(guild) -> None:
    await guild.clip(await guild.t2v())
    await guild.server.gateway.drop(invalidate=True, code=TOKEN_REFUSED)

    with pytest.raises(BadConfiguration, match="DISCORD_TOKEN"):
        await guild.ended()


async def test_a_session_that_breaks_is_replaced(guild, monkeypatch) -> None:
    import bots.discord.front

    monkeypatch.setattr(bots.discord.front, "FIRST_WAIT_S", 0.01)
    guild.executor.gate.clear()
    asked = await guild.t2v()
    await guild.executor.started.wait()

    await guild.server.gateway.dispatch("GUILD_ROLE_CREATE", {"guild_id": "not a number"})
    await guild.world.until(lambda: len(guild.server.gateway.identified) == 2)
    guild.executor.gate.set()

    await guild.clip(asked)
    await guild.clip(await guild.t2v())


async def test_a_discord_that_cannot_be_reached_is_waited_for(guild_with, monkeypatch) -> None:
    import bots.discord.front

    monkeypatch.setattr(bots.discord.front, "FIRST_WAIT_S", 0.01)
    guild = guild_with()
    guild.server.faults.add(Fault("GET", "/users/@me", drop=True))
    guild.server.faults.add(Fault("GET", "/gateway/bot", status=503, body={"message": "x"}))

    async with guild:
        await guild.clip(await guild.t2v())


async def test_commands_are_sent_again_only_when_they_changed(guild_with) -> None:
    async def syncs(**values: object) -> list[str | None]:
        guild = guild_with(**values)
        begun = len(guild.world.synced_to)
        async with guild:
            return guild.world.synced_to[begun:]

    assert await syncs() == [None]
    assert await syncs() == []
    assert await syncs(max_seconds=10.0) == [None]
    # while developing: in one guild, at once; nobody sees a command twice
    assert await syncs(max_seconds=10.0, discord_guild_id=77) == [None, "77"]
    assert await syncs(max_seconds=10.0, discord_guild_id=77) == []
    assert await syncs(max_seconds=10.0) == ["77", None]


async def test_a_sync_that_is_refused_leaves_the_bot_working(guild_with) -> None:
    guild = guild_with()
    refusal = {"code": 30034, "message": "Max number of daily application command creates"}
    guild.server.faults.add(Fault("PUT", "/commands", status=400, body=refusal))

    async with guild:
        await guild.clip(await guild.t2v())


async def test_a_stop_finishes_what_runs_and_hands_it_over(guild_with) -> None:
    from bots.discord.front import FRONT
    from core.app.bootstrap import open_core

    guild = guild_with(shutdown_grace_s=10.0)
    guild.executor.gate.clear()
    stop, ready = asyncio.Event(), asyncio.Event()
    async with open_core(guild.settings, guild.executor) as core:
        guild.core = core
        serving = asyncio.create_task(run_all(core, [FRONT], stop, lambda _: ready.set()))
        await ready.wait()
        asked = await guild.t2v()
        await guild.in_state(JobState.RUNNING)
        stop.set()
        late = await guild.t2v(user=BEN)
        assert "not accepted" in await guild.refusal()
        guild.executor.gate.set()
        await serving

        assert guild.world.messages[asked.original].videos
        assert guild.world.messages[late.original].deleted
        assert (await guild.owed()).sent == 1


async def test_group_messages_work_without_the_bot_in_them(guild) -> None:
    guild.channel = guild.world.group(ANN, BEN)

    message = await guild.clip(await guild.t2v())

    assert message.edited_with[-1] == "token"


async def test_a_foreign_guild_works_by_the_persons_own_install(guild) -> None:
    guild.channel.bot_is_member, guild.channel.rights = False, 0

    assert (await guild.clip(await guild.t2v())).videos

    guild.executor.gate.clear()
    await guild.answered(await guild.t2v())
    await guild.in_state(JobState.RUNNING)
    guild.world.expire_tokens()
    guild.executor.gate.set()
    direct = guild.world.direct(ANN).id
    await guild.world.until(lambda: guild.world.with_video(direct))


async def test_an_operators_role_opens_admin_and_other_peoples_jobs(guild_with) -> None:
    guild = guild_with(discord_operator_roles="4242")
    guild.world.roles[BEN] = [4242]
    async with guild:
        guild.executor.gate.clear()
        message = await guild.answered(await guild.t2v())
        await guild.world.until(message.custom_ids)

        await guild.server.press(message.id, message.button(":cancel:"), BEN)
        await guild.world.until(lambda: "Cancelled by the operator" in message.content)

        await guild.server.command("admin status", BEN, guild.channel)
        assert "Intake open" in await guild.refusal()


async def test_a_role_rule_follows_roles_that_are_made_later(guild) -> None:
    await guild.server.command("admin policy", OP, guild.channel, rule="roles", value="31")
    assert "31" in await guild.refusal()
    await guild.t2v()
    await guild.world.until(
        lambda: any("it needs a role" in m.content for m in guild.world.shown())
    )

    role = {"guild_id": str(guild.channel.guild_id), "role": role_object(31, "makers")}
    await guild.server.gateway.dispatch("GUILD_ROLE_CREATE", role)
    guild.world.roles[ANN] = [31]

    await guild.clip(await guild.t2v())


async def test_nsfw_words_need_an_age_restricted_channel(guild) -> None:
    await guild.server.command("admin policy", OP, guild.channel, rule="nsfw_words", value="kite")
    assert "kite" in await guild.refusal()
    await guild.t2v()
    await guild.world.until(lambda: any("age-restricted" in m.content for m in guild.world.shown()))

    guild.channel.nsfw = True
    await guild.server.gateway.dispatch("CHANNEL_UPDATE", guild.channel.payload())

    await guild.clip(await guild.t2v())


async def test_only_operators_hear_from_admin_and_others_hear_once(guild) -> None:
    await guild.server.command("admin pause", ANN, guild.channel)
    await guild.refusal()
    await guild.answered(await guild.server.command("quota", ANN, guild.channel))

    assert sum("operators" in m.content for m in guild.world.shown()) == 1
    assert not any("wrong on our side" in m.content for m in guild.world.shown())


async def test_a_command_of_an_older_version_says_what_to_do(guild) -> None:
    await guild.server.command("t2v", ANN, guild.channel, colour="red")

    assert "restart Discord" in await guild.refusal()


async def test_a_private_clip_is_fetched_privately(guild) -> None:
    await guild.clip(await guild.t2v(private=True))
    page = await guild.history(ANN)

    fetched = await guild.server.press(page.id, page.button(":fetch:"), ANN)

    assert (await guild.clip(fetched)).ephemeral


@pytest.mark.parametrize("level", ["info", "debug"])
async def test_nothing_secret_is_logged(guild_with, capfd, level: str) -> None:
    guild = guild_with()
    set_up_logging(level, as_json=True, secrets=secrets_of(guild.settings))
    try:
        async with guild:
            guild.executor.gate.clear()
            asked = await guild.t2v(prompt="a whispered secret heron", negative_prompt="quiet owl")
            await guild.answered(asked)
            await guild.t2v(prompt="a whispered secret heron", colour="a whispered secret heron")
            guild.world.expire_tokens()
            await guild.server.gateway.drop()
            body = {"message": "slow", "retry_after": 0.05, "global": False}
            guild.server.faults.add(
                Fault("PATCH", "/messages", status=429, body=body, headers={"Via": "1.1"})
            )
            guild.executor.gate.set()
            await guild.clip(asked)
            await guild.quiet()
    finally:
        set_up_logging("info")

    written = capfd.readouterr().err
    assert "commands_synced" in written
    for secret in ("secret heron", "quiet owl", guild.settings.discord.token.get_secret_value()):
        assert secret not in written
    for token in guild.world.interactions:
        assert token not in written
        assert token[20:60] not in written
    assert all(json.loads(line) for line in written.splitlines() if re.match(r"\{", line))


async def test_operators_are_told_of_trouble_in_a_direct_message(guild) -> None:
    await guild.core.alerts.send("device_lost", {"reason": "doubt"})
    await guild.core.alerts.send("a_kind_without_words", {"x": 1})

    direct = guild.world.direct(OP)
    await guild.world.until(lambda: len(guild.world.shown(direct.id)) == 2)

    first, second = guild.world.shown(direct.id)
    assert "job after job broke" in first.content
    assert "kind" in second.content


async def test_health_knows_whether_discord_is_reached(guild_with, monkeypatch) -> None:
    told: list[str] = []
    note = FrontBoard.note

    def recorded(board: FrontBoard, name: str, state: ConnectionState) -> None:
        told.append(state)
        note(board, name, state)

    monkeypatch.setattr(FrontBoard, "note", recorded)
    guild = guild_with()
    async with guild:
        guild.core.fronts.starts("discord")
        await guild.server.gateway.drop()
        await guild.clip(await guild.t2v())
        assert told[-2:] == ["disconnected", "connected"]
        assert guild.core.fronts.states["discord"] == "connected"

    assert guild.core.fronts.states["discord"] == "disconnected"
