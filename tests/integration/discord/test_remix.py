"""Everybody who sees a clip reads how it was made and makes one of their own; nobody else does."""

import pytest

from core.domain.followups import Action
from core.domain.people import Requester
from core.domain.policy import EVERYWHERE
from tests.support.platforms.discord.server import prefilled

ANN, BEN, OP = 501, 502, 900
OPERATOR = Requester("discord", str(OP))


async def press(guild, message, action: str, user: int = ANN):
    return await guild.server.press(message.id, message.button(f":{action}:"), user)


async def opened(guild, message, user: int = BEN):
    pressed = await press(guild, message, "remix", user)
    await guild.world.until(lambda: pressed.responses)
    return pressed


async def rule(guild, name: str, value: str, place: str | None = None) -> None:
    place = place or f"discord:{guild.channel.guild_id}"
    await guild.core.community.moderation.set_rule(OPERATOR, place, name, value)


@pytest.fixture
async def clip(guild):
    return await guild.clip(await guild.t2v(prompt="a red kite", seed="5"))


async def test_a_public_clip_quotes_its_prompt_and_names_its_maker(guild, clip) -> None:
    assert clip.content.startswith("`a red kite`\nby <@501>")
    assert any(":remix:" in name for name in clip.custom_ids())


@pytest.mark.parametrize("how", [{"private": True}, {"spoiler": True}])
async def test_what_is_private_or_veiled_keeps_its_prompt(guild, how) -> None:
    clip = await guild.clip(await guild.t2v(prompt="a red kite", **how))

    assert "kite" not in clip.content
    assert any(":remix:" in name for name in clip.custom_ids()) == ("spoiler" in how)


@pytest.mark.parametrize("where", ["here", "everywhere"])
async def test_operators_choose_that_prompts_are_not_told(guild, where: str) -> None:
    shown = await guild.clip(await guild.t2v(prompt="a red kite"))
    await rule(guild, "captions", "hidden", EVERYWHERE if where == "everywhere" else None)

    clip = await guild.clip(await guild.t2v(prompt="a blue kite"))

    assert "kite" not in clip.content
    assert not any(":remix:" in name for name in clip.custom_ids())
    await press(guild, shown, "details", BEN)  # its button is there still
    assert "belongs to somebody else" in await guild.refusal()


async def test_word_rules_are_asked_where_a_prompt_is_shown(guild) -> None:
    guild.executor.gate.clear()
    asked = await guild.t2v(prompt="a red kite")
    await guild.executor.started.wait()
    await rule(guild, "words", "kite")
    guild.executor.gate.set()

    assert "kite" not in (await guild.clip(asked)).content


async def test_a_stranger_makes_a_clip_of_their_own_from_what_all_see(guild, clip) -> None:
    form = await opened(guild, clip)
    fields = {c["component"]["custom_id"]: c["component"] for c in form.modal["components"]}
    assert prefilled(fields["prompt"]) == "a red kite"

    made = await guild.clip(await guild.server.submit(form, BEN, {"prompt": "a blue kite"}))

    assert "by <@502> · remix of https://discord.com/channels/" in made.content
    assert f"/{clip.channel_id}/{clip.id}" in made.content
    parent, job = await guild.job(clip), await guild.job(made)
    assert job.requester.user_id == str(BEN)
    assert (job.origin.action, job.origin.parent_id) == (Action.REMIX, parent.id)
    assert job.request.sampling.width == parent.request.sampling.width
    assert job.request.sampling.seed != parent.request.sampling.seed
    await press(guild, made, "details", ANN)
    assert "a blue kite" in await guild.refusal()


async def test_a_deleted_clip_leaves_no_trace_in_what_was_made_of_it(guild, clip) -> None:
    form = await opened(guild, clip)
    made = await guild.clip(await guild.server.submit(form, BEN, {}))
    parent = await guild.job(clip)

    await press(guild, clip, "delete")
    await guild.world.until(lambda: clip.id not in {m.id for m in guild.world.shown()})
    job = await guild.job(made)

    assert (job.origin.action, job.origin.parent_id) == (Action.REMIX, None)
    await press(guild, made, "details", BEN)
    said = await guild.refusal()
    assert parent.id[:8] not in said
    assert "a remix" in said


async def test_a_form_that_was_open_when_the_clip_went_is_refused(guild, clip) -> None:
    form = await opened(guild, clip)
    await guild.core.users.delete(guild.person(ANN), (await guild.job(clip)).id)

    await guild.server.submit(form, BEN, {"prompt": "a blue kite"})

    assert "job" in (await guild.refusal()).lower()
    assert len(guild.world.with_video()) == 1


async def test_a_button_under_another_message_opens_nothing(guild, clip) -> None:
    secret = await guild.job(await guild.clip(await guild.t2v(private=True, prompt="my secret")))
    for custom_id in (f"job:remix:{secret.id}", f"job:details:{secret.id}"):
        row = {"type": 2, "style": 2, "label": "x", "custom_id": custom_id}
        clip.payload["components"] = [{"type": 1, "components": [row]}]
        pressed = await guild.server.press(clip.id, custom_id, BEN)
        await guild.world.until(lambda pressed=pressed: pressed.responses)
        assert pressed.modal is None
        assert "belongs to somebody else" in await guild.refusal()


@pytest.mark.parametrize("rules", ["words", "files"])
async def test_files_of_the_maker_are_used_only_where_the_place_says_so(guild, rules: str) -> None:
    await rule(guild, "remix", rules)
    picture = {"image": guild.file("image")}
    options = {"preset": "fast", "seconds": 1.0, "width": 256, "height": 256}
    asked = await guild.server.command("i2v", ANN, guild.channel, picture, prompt="go", **options)
    clip = await guild.clip(asked)

    form = await opened(guild, clip)
    fields = [c["component"]["custom_id"] for c in form.modal["components"]]
    assert ("image" in fields) == (rules == "words")
    own = {"image": guild.file("image")} if rules == "words" else {}
    made = await guild.clip(await guild.server.submit(form, BEN, {}, own))

    job = await guild.job(made)
    assert job.requester.user_id == str(BEN)
    assert len(job.request.files) == 1


async def test_a_place_forbids_remixes(guild, clip) -> None:
    await rule(guild, "remix", "off")

    await press(guild, clip, "remix", BEN)

    assert "nobody makes remixes" in await guild.refusal()


async def test_a_private_clip_that_is_shared_tells_nobody_its_prompt(guild) -> None:
    clip = await guild.clip(await guild.t2v(private=True, prompt="my secret"))
    job = await guild.job(clip)
    await guild.server.press(clip.id, clip.button("share:"), ANN)
    shared = await guild.world.until(
        lambda: next((m for m in guild.cards(job.id) if not m.ephemeral), None)
    )

    assert "secret" not in str(shared.payload)
    assert not any(":remix:" in name for name in shared.custom_ids())
    pressed = await press(guild, shared, "details", BEN)
    assert "belongs to somebody else" in (await guild.answered(pressed)).content
