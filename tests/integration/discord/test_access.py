"""Who may use the bot: closed unless an operator, the settings or the place let somebody in."""

import pytest

from core.i18n.messages import say

ANN, BEN, OP = 501, 502, 900
HELP = "/pomoc"
SMALL = {"preset": "fast", "seconds": 1.0, "width": 256, "height": 256}


async def told(guild, user: int, text: str):
    """The message in somebody's direct messages that shows a text."""
    channel = guild.world.direct(user)
    return await guild.world.until(
        lambda: next((m for m in guild.world.shown(channel.id) if text in m.content), None)
    )


async def ask_in_private(guild, user: int):
    asked = await guild.server.command(
        "t2v", user, guild.world.direct(user), prompt="a kite", **SMALL
    )
    return await guild.answered(asked)


@pytest.fixture
async def closed(guild_with):
    """A service as it is after the first start, in a server of nobody known."""
    async with guild_with(allowed="own") as guild:
        yield guild


async def test_a_stranger_is_told_how_to_ask_and_an_operator_lets_them_in(closed) -> None:
    for where in ("direct", "server"):
        asked = await (
            ask_in_private(closed, ANN)
            if where == "direct"
            else closed.answered(await closed.t2v())
        )
        assert asked.ephemeral
        assert "let in" in asked.content
        assert asked.custom_ids() == ["access:ask"]
    assert await closed.core.jobs.in_order() == []

    await closed.server.press(asked.id, "access:ask", ANN)
    notice = await told(closed, OP, f"discord:user:{ANN}")
    await closed.server.press(notice.id, notice.button("access:allow:"), OP)
    await told(closed, ANN, "You may use me now")

    assert "may use me now" in notice.content
    assert notice.custom_ids() == []
    assert await closed.clip(await closed.t2v())
    entries = await closed.core.community.audit.entries()
    assert ("access_allow", f"discord:user:{ANN}") in {(e.verb, e.target) for e in entries}


async def test_who_was_turned_down_waits_and_who_is_blocked_is_told(closed) -> None:
    for user, verb, words in ((ANN, "deny", "said no"), (BEN, "block", "may not make videos")):
        asked = await ask_in_private(closed, user)
        await closed.server.press(asked.id, "access:ask", user)
        notice = await told(closed, OP, f"discord:user:{user}")
        await closed.server.press(notice.id, notice.button(f"access:{verb}:"), OP)
        await closed.world.until(lambda notice=notice: not notice.custom_ids())
        again = await closed.server.press(asked.id, "access:ask", user)
        refused = await closed.answered(again)
        assert words in refused.content


async def test_nobody_but_an_operator_answers_a_request(closed) -> None:
    asked = await ask_in_private(closed, ANN)
    await closed.server.press(asked.id, "access:ask", ANN)
    notice = await told(closed, OP, f"discord:user:{ANN}")

    refused = await closed.answered(
        await closed.server.press(notice.id, notice.button("access:allow:"), BEN)
    )

    assert "Only operators" in refused.content
    assert "let in" in (await ask_in_private(closed, ANN)).content


@pytest.mark.parametrize("why", ["owner", "maker", "manager"])
async def test_an_operators_own_server_is_open_and_its_members_are_not_elsewhere(
    guild_with, discord_server, why: str
) -> None:
    build = guild_with(allowed="own")
    server = build.channel.guild_id
    discord_server.world.owners[server] = {"owner": OP, "maker": 9, "manager": 1}[why]
    if why == "manager":
        discord_server.world.members.add((server, OP))
        discord_server.world.roles[OP] = [77]
        discord_server.world.role_rights[77] = 1 << 5
    async with build as guild:
        assert await guild.clip(await guild.t2v())
        assert "let in" in (await ask_in_private(guild, ANN)).content


@pytest.mark.parametrize("kind", ["user", "server", "members", "role"])
async def test_each_kind_of_entry_lets_in_whom_it_names(
    guild_with, discord_server, kind: str
) -> None:
    guild_id = guild_with().channel.guild_id
    entry = {"user": ANN, "server": guild_id, "members": guild_id, "role": 42}[kind]
    discord_server.world.members.add((guild_id, ANN))
    discord_server.world.roles[ANN] = [42]
    build = guild_with(allowed=f"discord:{kind}:{entry}")
    build.channel = discord_server.world.channels[discord_server.world.guilds[guild_id][0]]
    async with build as guild:
        assert await guild.clip(await guild.t2v())
        elsewhere = await ask_in_private(guild, ANN)
        assert ("let in" in elsewhere.content) is (kind == "server")
        outsider = await guild.answered(await guild.t2v(BEN))
        assert ("let in" in outsider.content) is (kind != "server")


async def test_an_install_of_ones_own_in_a_foreign_server_is_told_how_to_ask(closed) -> None:
    foreign = closed.world.group(ANN, BEN)
    asked = await closed.server.command("t2v", ANN, foreign, prompt="a kite", **SMALL)

    assert "let in" in (await closed.answered(asked)).content


async def test_an_operator_lets_a_server_in_by_a_command_and_out_again(closed) -> None:
    await closed.answered(await closed.server.command("admin allow", OP, closed.channel))
    assert await closed.clip(await closed.t2v())
    await closed.answered(await closed.server.command("admin disallow", OP, closed.channel))
    assert "let in" in (await closed.answered(await closed.t2v())).content


async def test_a_role_and_a_server_have_minutes_of_their_own(guild_with, discord_server) -> None:
    discord_server.world.roles[BEN] = [42]
    build = guild_with(quota_roles="role:42=60", quota_minutes=3.0)
    place = f"discord:{build.channel.guild_id}"
    async with guild_with(
        quota_roles="role:42=60", quota_minutes=3.0, quota_places=f"{place}=7"
    ) as guild:
        guild.channel = build.channel
        shown = {}
        for user in (ANN, BEN):
            asked = await guild.server.command("quota", user, build.channel)
            shown[user] = (await guild.answered(asked)).content
    assert "3 min 00 s" in shown[ANN]
    assert "60 min 00 s" in shown[BEN]
    assert all("7 min 00 s" in text for text in shown.values())


async def test_notices_are_in_the_language_that_their_person_last_used(closed) -> None:
    direct = closed.world.direct(ANN)
    await closed.server.command("help", OP, closed.world.direct(OP), locale="de")
    await closed.server.command("help", ANN, direct, locale="pl")
    asked = await closed.answered(
        await closed.server.command("t2v", ANN, direct, locale="pl", prompt="latawiec")
    )
    await closed.server.press(asked.id, "access:ask", ANN, locale="pl")

    notice = await told(closed, OP, f"discord:user:{ANN}")
    assert notice.label("access:allow:") == say("access_allow_label", {}, "de")
    await closed.server.press(notice.id, notice.button("access:allow:"), OP, locale="de")

    await told(closed, ANN, say("access_allowed", {"cmd": {"help": HELP}}, "pl"))
