"""Buttons under statuses and clips, for their owner, also after a restart."""

import pytest

from core.domain.followups import Action
from core.domain.jobs import JobState
from core.domain.modes import MODES
from tests.support.jobs import until_ended
from tests.support.platforms.discord.server import prefilled

ANN, BEN, OP = 501, 502, 900


async def press(guild, message, action: str, user: int = ANN):
    return await guild.server.press(message.id, message.button(f":{action}:"), user)


@pytest.fixture
async def clip(guild):
    return await guild.clip(await guild.t2v(seed="5", prompt="a red kite"))


async def test_cancel_stops_a_running_job_refunds_it_and_says_so(guild) -> None:
    guild.executor.gate.clear()
    message = await guild.answered(await guild.t2v())
    await guild.executor.started.wait()
    await guild.world.until(lambda: any(":cancel:" in name for name in message.custom_ids()))

    await press(guild, message, "cancel")

    await guild.world.until(lambda: "Cancelled" in message.content)
    assert await guild.core.jobs.in_order() == []


async def test_somebody_else_may_not_cancel_but_an_operator_may(guild) -> None:
    guild.executor.gate.clear()
    message = await guild.answered(await guild.t2v())
    await guild.world.until(lambda: any(":cancel:" in name for name in message.custom_ids()))

    await press(guild, message, "cancel", BEN)
    assert "belongs to somebody else" in await guild.refusal()
    await press(guild, message, "cancel", OP)

    await guild.world.until(lambda: "Cancelled by the operator" in message.content)


async def test_again_makes_another_take_with_another_seed(guild, clip, read_job) -> None:
    again = await guild.clip(await press(guild, clip, "again"))

    job = await guild.core.jobs.get(read_job(again.videos[0]))
    assert job.request.prompt == "a red kite"
    assert job.request.sampling.seed != 5


async def test_quality_keeps_the_seed_at_the_quality_preset(guild, clip) -> None:
    guild.executor.gate.clear()
    await press(guild, clip, "quality")

    job = await guild.in_state(JobState.RUNNING)
    assert job.request.sampling.seed == 5
    assert job.request.sampling.preset == "quality"
    await guild.core.cancellation.cancel(job.id, job.requester)


async def test_longer_gives_one_film_of_both(guild, clip, read_job) -> None:
    longer = await guild.clip(await press(guild, clip, "longer"))

    job = await guild.core.jobs.get(read_job(longer.videos[0]))
    assert job.request.mode == "extend"
    assert job.request.prompt == "a red kite"
    first = job.request.media()["video"]
    assert job.clip.seconds > first.seconds


async def test_the_last_frame_comes_as_a_picture(guild, clip) -> None:
    opened = await press(guild, clip, "last_frame")
    message = await guild.answered(opened)

    await guild.world.until(lambda: any(name.endswith(".png") for name in message.files))


async def test_details_name_everything_needed_to_repeat_it(guild, clip, read_job) -> None:
    opened = await press(guild, clip, "details")
    message = await guild.answered(opened)

    assert message.ephemeral
    for part in ("a red kite", "Seed: 5", "256×256", read_job(clip.videos[0])):
        assert part in message.content


async def test_edit_opens_a_form_with_the_present_values_and_takes_the_new(
    guild, clip, read_job
) -> None:
    opened = await press(guild, clip, "edit")
    await guild.world.until(lambda: opened.modal)
    fields = {
        label["component"]["custom_id"]: prefilled(label["component"])
        for label in opened.modal["components"]
    }
    assert fields == {"prompt": "a red kite", "preset": "fast", "seconds": "1"}

    values = {"prompt": "a blue kite", "seconds": "2", "preset": "draft"}
    sent = await guild.server.submit(opened, ANN, values)

    job = await guild.core.jobs.get(read_job((await guild.clip(sent)).videos[0]))
    assert job.request.prompt == "a blue kite"
    assert job.request.sampling.preset == "draft"
    assert job.request.sampling.seconds == pytest.approx(2, abs=0.2)


async def test_an_edit_keeps_what_its_form_does_not_ask_for(guild) -> None:
    chosen = {"camera": "jib_up", "negative_prompt": "rain", "fps": 12}
    clip = await guild.clip(await guild.t2v(**chosen))
    opened = await press(guild, clip, "edit")
    await guild.world.until(lambda: opened.modal)

    sent = await guild.server.submit(opened, ANN, {"prompt": "a blue kite"})

    sampling = (await guild.job(await guild.clip(sent))).request.sampling
    assert {name: getattr(sampling, name) for name in chosen} == chosen
    assert (sampling.width, sampling.height, sampling.preset) == (256, 256, "fast")


async def test_a_length_that_is_no_number_is_refused_and_a_comma_is_one(guild, clip) -> None:
    opened = await press(guild, clip, "edit")
    await guild.world.until(lambda: opened.modal)

    await guild.server.submit(opened, ANN, {"seconds": "long"})
    assert "Length" in await guild.refusal()
    sent = await guild.server.submit(opened, ANN, {"seconds": "1,5"})

    job = await guild.job(await guild.clip(sent))
    assert job.request.sampling.seconds == pytest.approx(1.5, abs=0.2)


async def test_delete_takes_message_and_clip_away_for_its_owner_only(guild, clip, read_job) -> None:
    job = await guild.core.jobs.get(read_job(clip.videos[0]))
    await press(guild, clip, "delete", BEN)
    assert "belongs to somebody else" in await guild.refusal()

    await press(guild, clip, "delete")

    await guild.world.until(lambda: clip.deleted)
    assert not job.clip.path.exists()


async def test_history_lists_own_clips_and_posts_one_again(guild, clip) -> None:
    page = await guild.history(ANN)
    assert page.ephemeral
    assert "Text to video" in page.content

    fetched = await guild.clip(await press(guild, page, "fetch"))

    assert fetched.videos == clip.videos
    other = await guild.history(BEN)
    assert "Nothing here yet" in other.content


async def test_history_turns_pages(guild) -> None:
    for number in range(6):
        await guild.clip(await guild.t2v(prompt=f"kite {number}"))
    page = await guild.history(ANN)

    await guild.server.press(page.id, page.button("page:history:2"), ANN)

    await guild.world.until(lambda: "page 2" in page.content)
    assert any("page:history:1" in name for name in page.custom_ids())


async def test_queue_quota_cancel_and_again_by_command(guild) -> None:
    guild.executor.gate.clear()
    await guild.t2v()
    job = await guild.in_state(JobState.RUNNING)

    line = await guild.answered(await guild.server.command("queue", ANN, guild.channel))
    assert job.id[:8] in line.content
    quota = await guild.answered(await guild.server.command("quota", ANN, guild.channel))
    assert "GPU time left" in quota.content
    assert "<t:" in quota.content
    await guild.server.command("cancel", ANN, guild.channel, job=job.id[:8])
    await until_ended(guild.core, job.id)
    guild.executor.gate.set()

    assert (await guild.clip(await guild.server.command("again", ANN, guild.channel))).videos


async def test_forget_deletes_everything_of_the_person(guild, clip, read_job) -> None:
    job = await guild.core.jobs.get(read_job(clip.videos[0]))
    asked = await guild.answered(await guild.server.command("forget", ANN, guild.channel))

    await guild.server.press(asked.id, "forget:me", ANN)

    await guild.world.until(lambda: "Done: 1" in asked.content)
    assert not job.clip.path.exists()
    assert await guild.core.jobs.jobs_of(job.requester) == []


async def test_linked_accounts_share_history(guild, clip) -> None:
    shown = await guild.answered(await guild.server.command("link", ANN, guild.channel))
    code = next(word.strip(".") for word in shown.content.split() if word.strip(".").isupper())

    await guild.server.command("link", BEN, guild.channel, code=code)
    await guild.world.until(lambda: any("Joined" in m.content for m in guild.world.shown()))

    page = await guild.history(BEN)
    assert "Text to video" in page.content


async def test_help_has_an_example_for_every_mode(guild) -> None:
    shown = await guild.answered(await guild.server.command("help", ANN, guild.channel))

    assert [mode for mode in MODES if f"/{mode}" not in shown.content] == []


def test_every_action_has_a_handler() -> None:
    from bots.discord.buttons import _HANDLERS, _OPEN

    assert {*_HANDLERS, *_OPEN} == set(Action)
