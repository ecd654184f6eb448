"""Buttons and commands about oneself, operators, links, and one account on two platforms."""

import pytest

from core.domain.followups import Action
from core.domain.jobs import JobState
from core.domain.modes import Mode
from core.domain.options import KEPT
from core.domain.people import Requester
from core.errors import NotYours
from tests.support.jobs import caller
from tests.support.option_rows import value_of

ANN, BEN, OP = 501, 502, 900


@pytest.fixture
async def shown(town, small: str):
    return await town.clip(town.say(f"/t2v a red kite {small} --seed 5"))


async def test_every_action_has_a_handler_and_fits_into_a_button(town, shown) -> None:
    from bots.telegram.buttons import _HANDLERS

    assert set(Action) <= set(_HANDLERS)
    assert all(len(data.encode()) <= 64 for data in shown.callback_data())
    assert all(data.startswith("v1:") for data in shown.callback_data())


async def test_presses_are_answered_at_once_and_once(town, shown) -> None:
    town.executor.gate.clear()

    query = town.tap(shown, "v1:again:")

    await town.world.until(lambda: query in town.world.answers)
    assert [name for name, _ in town.world.calls].count("answerCallbackQuery") == 1


async def test_quality_keeps_the_seed_at_the_quality_preset(town, shown) -> None:
    town.executor.gate.clear()
    town.tap(shown, "v1:quality:")

    sampling = (await town.in_state(JobState.RUNNING)).request.sampling
    assert (sampling.seed, sampling.preset) == (5, "quality")


async def test_edit_keeps_everything_but_the_words(town, shown) -> None:
    town.tap(shown, "v1:edit:")
    await town.says("What should happen")

    job = await town.made("a blue kite")

    assert job.request.prompt == "a blue kite"
    assert str(job.request.sampling.size) == "256×256"


async def test_edit_and_again_keep_every_option_that_is_kept(town, small: str) -> None:
    typed = {option: value_of(option) for option in KEPT if option.offered_in(Mode.T2V)}
    words = " ".join(f"--{option.typed} {value}" for option, value in typed.items())
    clip = await town.clip(town.say(f"/t2v a red kite {small} {words}"))
    town.tap(clip, "v1:edit:")
    await town.says("What should happen")

    edited = await town.made("a blue kite")
    again = await town.made("/again")

    assert {job.request.prompt for job in (edited, again)} == {"a blue kite"}
    for option, value in typed.items():
        for job in (edited, again):
            assert getattr(job.request.sampling, option.name) == value, option.name


async def test_edit_works_for_modes_that_need_no_words(town, small: str) -> None:
    clip = await town.clip(town.say(caption=f"/i2v {small}", **town.media("image")))
    town.tap(clip, "v1:edit:")
    await town.says("What should happen")

    job = await town.made("it blinks")

    assert (job.request.mode, job.request.prompt) == ("i2v", "it blinks")


async def test_the_last_frame_comes_as_a_file(town, shown) -> None:
    town.tap(shown, "v1:last_frame:")

    sent = await town.world.until(
        lambda: next((m for m in town.world.shown() if "document" in m.files), None)
    )
    assert sent.files["document"][:4] == b"\x89PNG"


async def test_details_name_everything_needed_to_repeat_it(town, shown, read_job) -> None:
    town.tap(shown, "v1:details:")

    said = await town.says("Prompt: a red kite")
    assert all(part in said.text for part in ("Seed: 5", "256×256", read_job(shown.video)))


async def test_history_lists_own_clips_and_shows_one_again_without_an_upload(
    town, shown, small: str
) -> None:
    page = await town.answer(town.say("/history"))
    assert "Text to video" in page.text

    town.tap(page, "v1:fetch:")

    again = await town.world.until(
        lambda: next((m for m in town.world.with_video() if m.id != shown.id), None)
    )
    assert again.video == shown.video
    assert again.method == "sendVideo"
    assert isinstance(again.payload["video"], str)
    assert "Nothing here yet" in (await town.answer(town.say("/history", BEN))).text


async def test_a_copy_that_telegram_forgot_is_uploaded_again(town, shown) -> None:
    town.world.files.clear()
    page = await town.answer(town.say("/history"))

    town.tap(page, "v1:fetch:")

    await town.world.until(lambda: len(town.world.with_video()) == 2)


async def test_history_turns_pages_for_its_owner_only(town, small: str) -> None:
    for number in range(6):
        await town.clip(town.say(f"/t2v kite {number} {small}"))
    page = await town.answer(town.say("/history"))

    town.tap(page, "v1:page=2:", BEN)
    await town.says("belongs to somebody else")
    town.tap(page, "v1:page=2:")

    await town.world.until(lambda: "page 2" in page.text)


async def test_queue_cancel_again_and_quota_by_command(town, small: str) -> None:
    town.executor.gate.clear()
    message = await town.answer(town.say(f"/t2v a kite {small}"))
    job = await town.in_state(JobState.RUNNING)

    assert job.id[:8] in (await town.answer(town.say("/queue"))).text
    assert "GPU time left" in (await town.answer(town.say("/quota"))).text
    assert "There is no job" in (await town.answer(town.say("/cancel ffffffffff"))).text
    assert "Cancelled" in (await town.answer(town.say(f"/cancel {job.id[:8]}"))).text
    await town.world.until(lambda: "Cancelled by the owner" in message.text)
    town.executor.gate.set()

    assert (await town.made("/again")).request.prompt == "a kite"


async def test_forget_deletes_everything_of_the_person_who_confirms(town, shown) -> None:
    job = await town.job(shown)
    await town.answer(town.say("/t2v"))
    asked = await town.answer(town.say("/forget"))
    town.tap(asked, "v1:forget:", BEN)
    await town.says("belongs to somebody else")

    town.tap(asked, "v1:forget:")

    await town.says("Done: 1 job")
    assert not job.clip.path.exists()
    assert await town.core.jobs.jobs_of(job.requester) == []
    community = town.core.community
    assert await community.state.recall_all("telegram-draft") == {}
    assert await community.state.recall_all("telegram-file") == {}
    kept = await community.state.recall_all("telegram-inbox")
    assert {str(value) for value in kept.values()} == {"True"}


async def test_a_deep_link_shows_a_clip_to_its_owner_only(town, shown, read_job) -> None:
    link = f"/start job_{read_job(shown.video)}"

    assert "somebody else" in (await town.answer(town.say(link, BEN))).text
    town.say(link)

    await town.world.until(lambda: len(town.world.with_video()) == 2)


async def test_start_and_help_say_what_there_is(town) -> None:
    assert "Hello" in (await town.answer(town.say("/start"))).text
    shown = await town.answer(town.say("/help"))
    assert all(f"/{mode}" in shown.text for mode in Mode)
    assert "/lipsync" in (await town.answer(town.say("/start help"))).text


async def test_a_linked_account_of_another_platform_shares_quota_and_history(town, shown) -> None:
    community, elsewhere = town.core.community, Requester("discord", "77")
    text = (await town.answer(town.say("/link"))).text
    code = next(word.strip(".") for word in text.split() if word.strip(".").isupper())

    await community.accounts.link(elsewhere, code)

    ann = Requester("telegram", str(ANN))
    assert await community.accounts.account(elsewhere) == ann
    other = await community.accounts.link_code(Requester("discord", "88"))
    assert "Joined" in (await town.answer(town.say(f"/link {other}", BEN))).text
    assert (await community.accounts.account(Requester("telegram", str(BEN)))).platform == "discord"
    assert "not valid" in (await town.answer(town.say(f"/link {other}"))).text


async def test_operators_are_known_by_number_and_everybody_else_is_refused(town) -> None:
    assert "Only operators" in (await town.answer(town.say("/admin pause"))).text
    assert (await town.core.health.read()).intake == "open"

    status = await town.answer(town.say("/admin status", OP))
    assert "open" in status.text


async def test_pause_policy_block_and_grant_are_obeyed_and_written_down(town, small: str) -> None:
    async def admin(text: str) -> str:
        return (await town.answer(town.say(f"/admin {text}", OP, group))).text

    async def ann(text: str = f"/t2v a kite {small}") -> str:
        return (await town.answer(town.say(text, ANN, group))).text

    group = town.world.group()
    await admin("pause")
    assert "not accepted" in await ann()
    await admin("resume")
    assert "words" in await admin("policy words kite")
    assert "not allowed here" in await ann()
    await admin("policy words none")
    await admin(f"block {ANN} too many kites")
    assert "too many kites" in await ann()
    await admin(f"unblock {ANN}")
    before = (await town.core.quotas.quota(Requester("telegram", str(ANN)))).left_ms
    await admin(f"grant {ANN} 2")
    after = (await town.core.quotas.quota(Requester("telegram", str(ANN)))).left_ms
    assert after - before == 120_000
    assert "minutes" in (await admin(f"grant {ANN} lots")).lower()
    assert "somebody" in await admin("block somebody")

    log = (await town.answer(town.say("/admin audit", OP))).text
    assert all(word in log for word in ("intake paused", "policy", f"block telegram:{ANN}"))
    assert await town.made(f"/t2v a kite {small}", ANN, chat=group)


async def test_operators_cancel_anybodys_job(town, small: str) -> None:
    town.executor.gate.clear()
    message = await town.answer(town.say(f"/t2v a kite {small}"))
    job = await town.in_state(JobState.RUNNING)
    assert job.id[:8] in (await town.answer(town.say("/admin jobs", OP))).text

    town.say(f"/admin cancel {job.id[:8]}", OP)

    await town.world.until(lambda: "Cancelled by the operator" in message.text)


async def test_quota_and_queue_limits_are_told_before_any_work(town, small: str) -> None:
    town.executor.gate.clear()
    for number in range(6):
        await town.answer(town.say(f"/t2v kite {number} {small}"))
    assert "5 jobs waiting" in (await town.answer(town.say(f"/t2v a kite {small}"))).text

    ben = Requester("telegram", str(BEN))
    await town.core.quotas.grant(ben, 1 - (await town.core.quotas.quota(ben)).left_ms)
    assert "GPU time" in (await town.answer(town.say(f"/t2v a kite {small}", BEN))).text
    assert await town.used(BEN) <= 1


async def test_jobs_of_others_are_not_shown(town, shown, read_job) -> None:
    with pytest.raises(NotYours):
        await town.core.users.job(caller(Requester("telegram", str(BEN))), read_job(shown.video))
    query = town.tap(shown, "v1:details:", BEN)
    await town.world.until(lambda: query in town.world.answers)

    await town.says("belongs to somebody else")
