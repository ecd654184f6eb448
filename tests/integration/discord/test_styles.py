"""Named styles, defaults of a place and wildcards, through the real client library."""

import pytest

from core.domain.styles import settable

ANN, BEN, OP = 501, 502, 900
SMALL = {"preset": "fast", "seconds": 1.0, "width": 256, "height": 256}
TOML = b'[style.noir]\nbefore = "film noir"\ncamera = "static"\n[defaults]\nstyle = "noir"\n'


async def styles(guild, verb: str, user: int = BEN, **given):
    """The answer to a subcommand, and that nobody else sees it."""
    answer = await guild.answered(
        await guild.server.command(f"styles {verb}", user, guild.channel, **given)
    )
    await guild.world.until(lambda: answer.content)
    assert answer.ephemeral
    return answer


async def test_who_runs_the_server_keeps_styles_and_members_choose_them(guild) -> None:
    guild.world.managers.add(BEN)
    await styles(
        guild, "save", style="Noir", before="film noir", after="{dark|grim}", camera="static"
    )

    listed = await styles(guild, "list", ANN)
    offered = await guild.server.autocomplete("t2v", ANN, guild.channel, "style", "no")
    message = await guild.clip(await guild.t2v(style="noir", prompt="a red kite"))
    job = await guild.job(message)

    assert "Noir" in listed.content
    assert [one["value"] for one in offered] == ["Noir"]
    assert job.request.prompt == "a red kite"
    assert job.request.wording.prompt.startswith("film noir, a red kite, ")
    assert job.request.sampling.camera == "static"
    assert "film noir" not in message.content
    pressed = await guild.server.press(message.id, message.button("details"), ANN)
    told = await guild.answered(pressed)
    await guild.world.until(lambda: "film noir, a red kite" in told.content)
    assert "the style" in told.content


async def test_a_style_that_is_gone_goes_on_in_what_is_made_again(guild) -> None:
    guild.world.managers.add(BEN)
    await styles(guild, "save", style="noir", before="film noir")
    message = await guild.clip(await guild.t2v(style="noir"))
    await styles(guild, "remove", style="NOIR")

    await guild.server.press(message.id, message.button("again"), ANN)
    clips = await guild.world.until(
        lambda: found if len(found := guild.world.with_video()) == 2 else None
    )

    takes = [await guild.job(one) for one in clips]
    assert {one.request.wording.prompt for one in takes} == {"film noir, a red kite"}
    await guild.t2v(style="noir")
    await guild.world.until(lambda: any("no style" in m.content for m in guild.world.shown()))


async def test_defaults_of_a_channel_go_before_those_of_the_server(guild) -> None:
    guild.world.managers.add(BEN)
    await styles(guild, "defaults", camera="static", preset="draft")
    shown = await styles(guild, "defaults", camera="dolly_in", channel_only=True)

    job = await guild.job(await guild.clip(await guild.t2v(preset=None)))

    assert f"<#{guild.channel.id}>" in shown.content
    assert (job.request.sampling.camera, job.request.sampling.preset) == ("dolly_in", "draft")
    assert dict(job.request.chosen_by) == {"camera": "channel", "preset": "place"}
    await styles(guild, "defaults", clear="all")
    again = await guild.job(await guild.clip(await guild.t2v(preset=None)))
    assert again.request.sampling.preset == "balanced"


async def test_a_file_brings_styles_and_defaults_and_takes_them_away(guild) -> None:
    guild.world.managers.add(BEN)
    upload = guild.server.upload("x.toml", TOML, "text/plain")
    await styles(guild, "import", attachments={"file": upload})
    bad = guild.server.upload("y.toml", b'[style.x]\npreset = "best"', "text/plain")
    refused = await styles(guild, "import", attachments={"file": bad})
    job = await guild.job(await guild.clip(await guild.t2v()))
    sent = await styles(guild, "export")

    assert "style.x" in refused.content
    assert "draft, fast" in refused.content
    assert job.request.wording.prompt == "film noir, a red kite"
    assert dict(job.request.chosen_by)["style"] == "place"
    assert len(sent.files) == 1
    entries = await guild.core.community.audit.entries()
    assert {"import_styles"} <= {entry.verb for entry in entries}


@pytest.mark.parametrize("everywhere", [True, False])
async def test_a_stranger_changes_nothing_and_gets_no_file(guild, everywhere: bool) -> None:
    if everywhere:
        guild.world.managers.add(BEN)  # of this server, not of all places
    upload = guild.server.upload("x.toml", TOML, "text/plain")
    where = {"everywhere": everywhere}

    for verb, given in (
        ("save", {"style": "x", "before": "y"}),
        ("remove", {"style": "x"}),
        ("defaults", {"preset": "draft"}),
        ("export", {}),
        ("import", {"attachments": {"file": upload}}),
    ):
        answer = await styles(guild, verb, BEN, **given, **where)
        assert "Only my operators" in answer.content, verb
        assert not answer.files

    assert not await guild.core.community.styles.styles("discord:1")
    assert await guild.core.community.audit.entries() == []


async def test_an_operator_keeps_styles_for_all_places(guild) -> None:
    await styles(guild, "save", OP, style="noir", before="film noir", everywhere=True)

    direct = guild.world.direct(ANN)
    asked = await guild.server.command("t2v", ANN, direct, prompt="a cat", style="noir", **SMALL)

    job = await guild.job(await guild.clip(asked))
    assert job.request.wording.prompt == "film noir, a cat"


async def test_what_the_seed_drew_is_said_in_the_details_and_to_nobody_else(guild) -> None:
    await guild.server.command("admin policy", OP, guild.channel, rule="captions", value="hidden")
    message = await guild.clip(await guild.t2v(prompt="a {green|green} kite"))
    pressed = await guild.server.press(message.id, message.button("details"), ANN)
    told = await guild.answered(pressed)
    await guild.world.until(lambda: "a green kite" in told.content)

    assert (await guild.job(message)).request.prompt == "a {green|green} kite"
    assert not _ever_said(message, "green")


def test_every_option_that_may_be_set_is_offered(guild) -> None:
    (command,) = [one for one in guild.world.commands if one["name"] == "styles"]
    taken = {one["name"]: {o["name"] for o in one.get("options", [])} for one in command["options"]}

    names = {option.name for option in settable()}
    assert names <= taken["defaults"]
    assert names - {"style"} <= taken["save"]


def _ever_said(message, text: str) -> bool:
    return any(text in str(state.get("content")) for state in message.states)
