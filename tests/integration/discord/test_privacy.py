"""What is about an account, private or veiled stays so, and rules count where a clip is shown."""

import pytest

from bots.discord.user_commands import add_account_commands

ANN, BEN, OP = 501, 502, 900
ABOUT_ONESELF = ("queue", "history", "quota", "link", "unlink", "forget", "help")


async def press(guild, message, action: str, user: int = ANN):
    return await guild.server.press(message.id, message.button(f":{action}:"), user)


async def fetched(guild, channel, user: int = ANN):
    page = await guild.history(user, channel)
    return await guild.clip(await press(guild, page, "fetch", user))


@pytest.mark.parametrize("kind", ["guild", "direct", "group"])
async def test_every_answer_about_an_account_is_seen_by_its_person_alone(guild, kind: str) -> None:
    channels = {
        "guild": guild.channel,
        "direct": guild.world.direct(ANN),
        "group": guild.world.group(ANN, BEN),
    }
    registered = {c["name"] for c in guild.world.commands}
    assert set(ABOUT_ONESELF) <= registered
    assert add_account_commands
    for name in ABOUT_ONESELF:
        answer = await guild.answered(await guild.server.command(name, ANN, channels[kind]))
        assert answer.ephemeral, name


async def test_history_posts_a_clip_for_its_person_alone(guild) -> None:
    await guild.clip(await guild.t2v())
    assert (await fetched(guild, guild.channel)).ephemeral


@pytest.mark.parametrize("how", ["command", "again", "longer", "quality"])
async def test_what_was_private_stays_private_and_what_was_veiled_stays_veiled(
    guild, how: str
) -> None:
    clip = await guild.clip(await guild.t2v(private=True, spoiler=True, prompt="my secret"))
    if how == "command":
        asked = await guild.server.command("again", ANN, guild.channel)
    else:
        asked = await press(guild, clip, how)
    made = await guild.clip(asked)

    assert made.ephemeral
    assert all(name.startswith("SPOILER_") for name in made.files)


@pytest.mark.parametrize("how", ["again", "longer", "quality"])
async def test_a_veiled_clip_in_public_stays_veiled(guild, how: str) -> None:
    clip = await guild.clip(await guild.t2v(spoiler=True))
    made = await guild.clip(await press(guild, clip, how))

    assert not made.ephemeral
    assert all(name.startswith("SPOILER_") for name in made.files)


async def test_a_clip_made_elsewhere_is_repeated_for_its_person_alone(guild) -> None:
    direct = guild.world.direct(ANN)
    options = {"preset": "fast", "seconds": 1.0, "width": 256, "height": 256}
    await guild.clip(await guild.server.command("t2v", ANN, direct, prompt="a nude", **options))

    made = await guild.clip(await guild.server.command("again", ANN, guild.channel))
    assert made.ephemeral
    assert (await fetched(guild, guild.channel)).ephemeral


async def test_an_account_that_joined_is_told_of_and_removed(guild) -> None:
    shown = await guild.answered(await guild.server.command("link", ANN, guild.channel))
    code = next(w.strip(".") for w in shown.content.split() if w.strip(".").isupper())
    await guild.server.command("link", BEN, guild.channel, code=code)

    def told():
        direct = guild.world.direct(ANN)
        found = [m for m in guild.world.shown(direct.id) if f"discord:{BEN}" in m.content]
        return found[0] if found else None

    notice = await guild.world.until(told)
    await guild.server.press(notice.id, notice.button("unlink:"), ANN)
    await guild.world.until(lambda: any("Removed" in m.content for m in guild.world.shown()))

    listed = await guild.answered(await guild.server.command("unlink", ANN, guild.channel))
    assert "No other account" in listed.content
