"""Discord at its worst moments: the clip arrives once, fits, and keeps its sound; or is kept."""

import asyncio
from io import BytesIO

import av
import numpy as np
import pytest

from core.domain.jobs import JobState
from core.testing.doubles import QuickExecutor
from tests.support.platforms.discord.world import HISTORY, SEND, VIEW
from tests.support.platforms.faults import Fault

ANN, BEN, OP = 501, 502, 900
DEAD_TOKEN = {"status": 401, "body": {"code": 50027, "message": "Invalid Webhook Token"}}
UPLOAD = {"method": "PATCH|POST", "path": "/messages", "min_bytes": 3000}
STATUS = {"method": "PATCH|POST", "path": "/messages", "max_bytes": 2999}


class NoisyExecutor(QuickExecutor):
    """Pictures that no encoder makes small: about a megabyte a second at 256×256."""

    async def execute(self, order, on_progress, cancel):
        raw = await super().execute(order, on_progress, cancel)
        raw.frames[:] = np.random.default_rng(1).integers(0, 255, raw.frames.shape, np.uint8)
        return raw


@pytest.fixture
async def noisy(guild_with):
    async with guild_with(NoisyExecutor()) as guild:
        yield guild


@pytest.fixture
async def held(guild):
    """A running job that stands still: its asked interaction, and its status message."""
    guild.executor.gate.clear()
    asked = await guild.t2v()
    await guild.executor.started.wait()
    message = await guild.answered(asked)
    await guild.world.until(lambda: "first pass" in message.content)
    return asked, message


def release(guild) -> None:
    guild.executor.gate.set()


async def one_clip(guild):
    """The only message with a clip, once nothing is owed any more."""
    counts = await guild.quiet()
    assert (counts.sent, counts.dead) == (1, 0)
    (message,) = guild.world.with_video()
    return message


async def test_a_token_that_expired_while_running_gives_way_to_the_bots_edit(guild, held) -> None:
    _, message = held
    guild.world.expire_tokens()
    release(guild)

    assert await one_clip(guild) is message
    assert message.edited_with[-1] == "bot"


async def test_a_token_that_dies_in_the_middle_of_the_upload(guild, held) -> None:
    _, message = held
    guild.server.faults.add(Fault(**UPLOAD, **DEAD_TOKEN, after_bytes=1500))
    release(guild)

    assert await one_clip(guild) is message
    assert message.edited_with[-1] == "bot"


async def test_progress_goes_on_by_the_bots_edit_after_the_token_died(guild) -> None:
    guild.executor.gate.clear()
    await guild.t2v()
    running = await guild.in_state(JobState.RUNNING)
    waiting = await guild.answered(await guild.t2v(user=BEN))
    await guild.world.until(lambda: "in line" in waiting.content)
    guild.world.expire_tokens()
    await guild.core.cancellation.cancel(running.id, running.requester)

    await guild.world.until(lambda: "first pass" in waiting.content)
    assert waiting.edited_with[-1] == "bot"


async def test_a_private_clip_goes_to_a_direct_message_after_the_token_died(guild) -> None:
    guild.executor.gate.clear()
    await guild.answered(await guild.t2v(private=True))
    await guild.executor.started.wait()
    guild.world.expire_tokens()
    release(guild)

    message = await one_clip(guild)
    assert message.channel_id == guild.world.direct(ANN).id


@pytest.mark.parametrize("code", [0, 40005])
async def test_a_place_that_takes_less_than_it_said_gets_a_smaller_clip_with_sound(
    noisy, read_job, code: int
) -> None:
    noisy.world.declared_limit = 10_000_000
    noisy.world.upload_limit = 150_000
    if code:
        refusal = {"code": code, "message": "Request entity too large"}
        noisy.server.faults.add(Fault(**UPLOAD, status=400, body=refusal))

    message = await noisy.clip(await noisy.t2v(fps=8))

    assert len(message.videos[0]) <= 150_000
    job = await noisy.core.jobs.get(read_job(message.videos[0]))
    assert job.clip.size_bytes > 150_000
    with av.open(BytesIO(message.videos[0])) as container:
        sound = container.streams.audio[0]
        loudest = max(float(np.abs(f.to_ndarray()).max()) for f in container.decode(sound))
        assert float(sound.duration * sound.time_base) == pytest.approx(9 / 8, abs=0.1)
    assert loudest > 0.05
    assert "Reduced from" in message.content
    assert (await noisy.quiet()).sent == 1


async def test_the_original_is_offered_by_link_where_there_is_a_studio(guild_with) -> None:
    async with guild_with(NoisyExecutor(), studio_url="https://studio.example/") as guild:
        guild.world.upload_limit = 150_000

        message = await guild.clip(await guild.t2v(fps=8))

        job = await guild.job(message)
        address = await guild.core.users.originals.address(job)
        assert address.startswith("https://studio.example/originals/")
        assert f"Original: <{address}>" in message.content


async def test_what_fits_nowhere_is_kept_and_said(guild_with) -> None:
    async with guild_with(NoisyExecutor(), studio_url="https://studio.example") as guild:
        guild.world.declared_limit, guild.world.upload_limit = 10_000_000, 3_500
        asked = await guild.t2v(fps=8)
        message = await guild.answered(asked)

        await guild.world.until(lambda: "/history" in message.content)

        assert (await guild.quiet()).dead == 1
        assert "https://studio.example/originals/" in message.content
        assert any(":fetch:" in name for name in message.custom_ids())


@pytest.mark.parametrize("headers", [{"Via": "1.1 google"}, {"Retry-After": "0.2"}])
async def test_a_throttled_result_waits_as_long_as_asked(guild, held, headers: dict) -> None:
    body = {"message": "You are being rate limited.", "retry_after": 0.2, "global": False}
    fault = guild.server.faults.add(Fault(**UPLOAD, status=429, body=body, headers=headers))
    release(guild)

    assert await one_clip(guild) is held[1]
    assert fault.hits == 1


async def test_throttled_progress_is_dropped_before_it_delays_a_result(guild) -> None:
    body = {"message": "You are being rate limited.", "retry_after": 30.0, "global": False}
    guild.executor.gate.clear()
    fault = guild.server.faults.add(
        Fault(**STATUS, status=429, body=body, headers={"Retry-After": "30"}, times=-1)
    )
    asked = await guild.t2v()
    await guild.world.until(lambda: fault.hits)
    release(guild)
    began = asyncio.get_running_loop().time()

    await guild.clip(asked)

    assert asyncio.get_running_loop().time() - began < 25  # of the 30 that the platform asked for


@pytest.mark.parametrize(("status", "times"), [(502, 1), (503, 1)])
async def test_trouble_of_the_platform_is_outlasted(guild, held, status: int, times: int) -> None:
    body = {"message": "upstream"}
    guild.server.faults.add(Fault(**UPLOAD, status=status, body=body, times=times))
    release(guild)

    assert await one_clip(guild) is held[1]


@pytest.mark.parametrize("stored", [False, True], ids=["before storing", "after storing"])
@pytest.mark.parametrize("post", [False, True], ids=["edit", "new message"])
async def test_a_connection_cut_in_an_upload_makes_no_second_clip(
    guild, held, *, stored: bool, post: bool
) -> None:
    if post:
        held[1].deleted = True
    at = {**UPLOAD, "method": "POST" if post else "PATCH"}
    cut = {"after_storing": True} if stored else {"after_bytes": 1500}
    fault = guild.server.faults.add(Fault(**at, **cut, drop=True))
    release(guild)

    message = await one_clip(guild)
    assert fault.hits == 1
    assert (message is held[1]) is not post


async def test_an_earlier_post_is_found_also_when_its_nonce_is_forgotten(guild, held) -> None:
    held[1].deleted = True

    def forget_nonce() -> bool:
        for message in guild.world.with_video():
            message.nonce = None
        return bool(guild.world.with_video())

    guild.server.faults.add(Fault(**{**UPLOAD, "method": "POST"}, drop=True, after_storing=True))
    release(guild)
    await guild.world.until(forget_nonce)

    await one_clip(guild)


async def test_the_placeholder_is_not_taken_for_an_earlier_post(guild, held) -> None:
    """Its edits are refused, and the first post was cut: the placeholder has the job's buttons."""
    guild.world.expire_tokens()
    too_old = {"code": 30046, "message": "Maximum number of edits reached"}
    guild.server.faults.add(Fault("PATCH", "/messages", status=429, body=too_old, times=-1))
    guild.server.faults.add(Fault(**{**UPLOAD, "method": "POST"}, drop=True, after_bytes=1500))
    release(guild)

    assert await one_clip(guild) is not held[1]


async def test_a_deleted_status_is_followed_by_a_new_message_for_its_owner(guild, held) -> None:
    held[1].deleted = True
    release(guild)

    message = await one_clip(guild)
    assert message.channel_id == guild.channel.id
    assert f"<@{ANN}>" in message.content


async def test_a_long_prompt_leaves_room_for_who_asked_in_a_new_message(guild) -> None:
    guild.executor.gate.clear()
    message = await guild.answered(await guild.t2v(prompt="word " * 390))
    await guild.executor.started.wait()
    message.deleted = True
    release(guild)

    shown = await one_clip(guild)
    assert shown.channel_id == guild.channel.id
    assert shown.content.startswith(f"<@{ANN}>")
    assert "AI-generated" in shown.content


@pytest.mark.parametrize("lost", ["rights", "kicked", "channel"])
async def test_a_place_that_is_closed_by_now_leads_to_a_direct_message(
    guild, held, lost: str
) -> None:
    guild.world.expire_tokens()
    if lost == "rights":
        guild.channel.rights = VIEW | SEND | HISTORY
    elif lost == "kicked":
        guild.channel.rights = 0
    else:
        del guild.world.channels[guild.channel.id]
    release(guild)

    message = await one_clip(guild)
    assert message.channel_id == guild.world.direct(ANN).id


async def test_without_any_way_the_clip_is_kept_and_comes_by_history(guild, held) -> None:
    guild.world.expire_tokens()
    guild.channel.rights = 0
    guild.world.dm_closed.add(ANN)
    release(guild)

    counts = await guild.quiet()

    assert (counts.sent, counts.dead) == (0, 1)
    (elsewhere,) = guild.world.guild()
    page = await guild.history(ANN, elsewhere)
    pressed = await guild.server.press(page.id, page.button(":fetch:"), ANN)
    assert (await guild.clip(pressed)).channel_id == elsewhere.id


async def test_a_missing_right_to_attach_is_told_in_the_channel(guild, held) -> None:
    guild.world.expire_tokens()
    guild.channel.rights = VIEW | SEND | HISTORY
    guild.world.dm_closed.add(ANN)
    release(guild)

    await guild.world.until(lambda: "Fetch it with /history" in held[1].content)
    assert (await guild.quiet()).dead == 1


async def test_a_refused_bot_token_waits_for_the_operator(guild, held) -> None:
    guild.world.expire_tokens()
    refusal = {"code": 0, "message": "401: Unauthorized"}
    fault = guild.server.faults.add(Fault(**UPLOAD, status=401, body=refusal))
    release(guild)

    assert await one_clip(guild) is held[1]
    assert fault.hits == 1


async def test_an_interaction_that_discord_gave_up_makes_no_job(guild) -> None:
    guild.server.faults.add(
        Fault("POST", "/callback", status=404, body={"code": 10062, "message": "Unknown"})
    )
    lost = await guild.t2v(prompt="never")
    await guild.world.until(lambda: not guild.server.faults.active[0].times)

    await guild.clip(await guild.t2v())

    assert lost.original is None
    jobs = await guild.core.users.jobs(guild.person(ANN), 10)
    assert [job.request.prompt for job in jobs] == ["a red kite"]


async def test_a_status_edit_that_hangs_never_covers_the_clip(guild) -> None:
    guild.executor.gate.clear()
    asked = await guild.t2v()
    message = await guild.answered(asked)
    fault = guild.server.faults.add(Fault(**STATUS, delay_s=0.6, times=2))
    await guild.world.until(lambda: fault.hits)
    release(guild)

    await guild.clip(asked)
    await guild.quiet()
    await asyncio.sleep(0.7)  # until the server would have carried out the late edit

    assert message.videos
    assert "seed" in message.content
