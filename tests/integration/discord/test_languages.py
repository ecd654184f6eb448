"""What everybody in a server reads is in its language, what one person reads in theirs."""

import pytest

ANN, OP = 501, 900
pytestmark = pytest.mark.sqlite
MODE = {"en-US": "Text to video", "de": "Text zu Video"}


@pytest.mark.parametrize(
    ("guild_locale", "own", "private", "read"),
    [
        ("de", "en-US", False, "de"),
        ("de", "en-US", True, "en-US"),
        ("en-US", "de", False, "en-US"),
        ("en-US", "de", True, "de"),
    ],
)
async def test_the_answer_to_a_command(
    guild, guild_locale: str, own: str, private: bool, read: str
) -> None:
    guild.world.guild_locale = guild_locale
    options = {"prompt": "a kite", "preset": "fast", "seconds": 1.0, "width": 256, "height": 256}
    asked = await guild.server.command(
        "t2v", ANN, guild.channel, locale=own, private=private, **options
    )
    clip = await guild.clip(asked)

    assert MODE[read] in clip.content
    assert MODE["de" if read != "de" else "en-US"] not in "".join(
        str(state.get("content")) for state in clip.states
    )


async def test_operators_choose_another_language_for_a_server_or_for_all(guild) -> None:
    async def rule(**given: object) -> None:
        asked = await guild.server.command("admin policy", OP, guild.channel, **given)
        answer = await guild.answered(asked)
        await guild.world.until(lambda: answer.content)

    await rule(rule="language", value="de", everywhere=True)
    assert "Text zu Video" in (await guild.clip(await guild.t2v())).content
    await rule(rule="language", value="en")
    assert "Text to video" in (await guild.clip(await guild.t2v())).content
    await rule(rule="language", value="klingon")
    assert "klingon" in await guild.refusal()
    assert (await guild.job(await guild.clip(await guild.t2v()))).reply_to.address["locale"] == "en"


async def test_in_a_direct_message_the_persons_own_language_holds(guild) -> None:
    guild.world.guild_locale = "de"
    guild.channel = guild.world.direct(ANN)

    assert "Text to video" in (await guild.clip(await guild.t2v())).content


async def test_what_was_adjusted_is_still_said_under_the_clip(guild) -> None:
    asked = await guild.t2v(width=500, height=300, preset="fast")
    clip = await guild.clip(asked)

    assert "500×300 becomes" in clip.content


async def test_an_id_is_said_as_people_type_it(guild) -> None:
    job = await guild.job(await guild.clip(await guild.t2v()))
    await guild.server.command("admin cancel", OP, guild.channel, job=job.id)

    told = await guild.refusal()
    assert job.id[:8] in told
    assert job.id not in told
