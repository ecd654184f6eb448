import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.app.bootstrap import open_core
from core.app.core import Core
from core.delivery.position_updates import SHOWN
from core.demo.samples import write_png
from core.domain.dimensions import snap_frames
from core.domain.jobs import JobState, ReplyTo, Ticket
from core.domain.media import Clip, MediaKind
from core.domain.modes import Mode
from core.domain.people import Requester
from core.domain.progress import Waiting
from core.domain.requests import Request, latents_name
from core.duration import BY_KEY, Machine, Tier
from core.errors import IntakeClosed, JobUnknown, NotYours, QuotaExceeded, ShareTooCostly, TooCostly
from core.i18n.messages import explain
from core.runtime.clock import now_ms
from core.settings import Settings
from core.testing.doubles import ManualClock, QuickExecutor, RecordingDelivery, running, t2v, tiny
from core.testing.jobs import submit_request
from tests.support.jobs import caller, clip_in

Submit = Callable[..., Awaitable[Ticket]]
Check = Callable[[], Awaitable[None]]
DAY_S = 86_400


@pytest.fixture
async def picture(core: Core, tmp_path: Path, ann: Requester) -> Request:
    file = await core.admission.admit(write_png(tmp_path / "a.png"), "image", MediaKind.IMAGE, ann)
    return Request(mode=Mode.I2V, prompt="it moves", sampling=tiny(), files=(file,))


async def test_forgetting_somebody_cancels_their_jobs_and_deletes_rows_and_files(
    core: Core,
    executor: QuickExecutor,
    delivery: RecordingDelivery,
    submit: Submit,
    picture: Request,
    ann: Requester,
    ben: Requester,
    sound_ledger: Check,
) -> None:
    core.router.register(delivery)
    async with running(core):
        done = await submit("done", request=picture)
        kept = await submit("kept", requester=ben)
        await delivery.until(2)
        executor.gate.clear()
        live = await submit("live")

        assert await core.cancellation.forget(ann) == 2

    for ticket in (done, live):
        with pytest.raises(JobUnknown):
            await core.jobs.get(ticket.job_id)
    clip = await core.users.clips.get(caller(ben), kept.job_id)
    assert set(core.settings.clips_folder.glob("[!.]*")) == {clip.path, clip.poster}
    assert list(core.settings.media_folder.iterdir()) == []
    assert (await core.quotas.quota(ann)).used_ms >= 100
    await sound_ledger()


async def test_an_input_stays_while_somebody_elses_job_needs_it(
    core: Core, submit: Submit, picture: Request, ann: Requester, ben: Requester
) -> None:
    await submit("mine", request=picture)
    await submit("theirs", requester=ben, request=picture)

    await core.cancellation.forget(ann)

    assert (core.settings.media_folder / picture.media()["image"].name).exists()


async def test_forgetting_while_the_job_runs_leaves_nothing_behind(
    core: Core, executor: QuickExecutor, submit: Submit, ann: Requester, sound_ledger: Check
) -> None:
    executor.gate.clear()
    async with running(core):
        await submit()
        await executor.started.wait()
        await core.cancellation.forget(ann)

    assert list(core.settings.clips_folder.glob("[!.]*")) == []
    assert list(core.settings.work_folder.iterdir()) == []
    await sound_ledger()


async def test_a_stranger_deletes_nothing(core: Core, submit: Submit, ben: Requester) -> None:
    ticket = await submit()

    with pytest.raises(NotYours):
        await core.users.delete(caller(ben), ticket.job_id)

    await core.cancellation.delete(await core.jobs.get(ticket.job_id))
    with pytest.raises(JobUnknown):
        await core.jobs.get(ticket.job_id)


async def test_jobs_and_files_are_kept_for_the_retention_time_and_not_longer(
    settings: Settings, delivery: RecordingDelivery, ann: Requester
) -> None:
    clock = ManualClock(now_ms())
    async with open_core(settings, QuickExecutor(), clock=clock) as core:
        core.router.register(delivery)
        async with running(core):
            ticket = await submit_request(core, t2v(), ann, ReplyTo("test"), "one")
            await delivery.until(1)
        clock.forward(13 * DAY_S)
        await core.housekeeping.prune()
        assert (await clip_in(core, ticket.job_id)).path.exists()

        clock.forward(2 * DAY_S)
        await core.housekeeping.prune()

        with pytest.raises(JobUnknown):
            await core.jobs.get(ticket.job_id)
        assert list(settings.clips_folder.glob("[!.]*")) == []


def leave_copies(core: Core, clip: Clip) -> None:
    """Put files where deliveries put smaller copies and last frames."""
    fitted = core.settings.data_dir / "fitted"
    fitted.mkdir(exist_ok=True)
    for folder in (clip.path.parent, fitted):
        for name in ("100000.mp4", "last.png"):
            (folder / f"{clip.path.stem}-{name}").write_bytes(b"made of the clip")


async def test_copies_and_last_frames_go_with_their_clip(
    core: Core, delivery: RecordingDelivery, submit: Submit, ann: Requester, ben: Requester
) -> None:
    core.router.register(delivery)
    async with running(core):
        mine = await submit("mine")
        theirs = await submit("theirs", requester=ben)
        await delivery.until(2)
    gone, kept = [(await clip_in(core, ticket.job_id)).path for ticket in (mine, theirs)]
    for ticket in (mine, theirs):
        leave_copies(core, await clip_in(core, ticket.job_id))

    await core.users.delete(caller(ann), mine.job_id)

    left = [path.name for path in core.settings.data_dir.rglob("*") if path.is_file()]
    assert not [name for name in left if name.startswith(gone.stem)]
    assert len([name for name in left if name.startswith(kept.stem)]) == 6


async def test_clips_without_a_row_are_pruned_with_what_was_made_of_them(core: Core) -> None:
    path = core.settings.clips_folder / f"{'a' * 32}.mp4"
    path.write_bytes(b"left by nobody")
    os.utime(path, (0, 0))
    leave_copies(core, Clip(path, path.with_suffix(".png"), "", 0, 64, 64, 9, 24.0, has_sound=True))

    await core.housekeeping.prune()

    left = [path.name for path in core.settings.data_dir.rglob("*") if path.is_file()]
    assert not [name for name in left if name.startswith(path.stem)]


async def test_unfinished_files_of_the_last_process_are_removed_at_start(
    settings: Settings,
) -> None:
    async with open_core(settings, QuickExecutor()):
        pass
    folders = [settings.media_folder, settings.clips_folder, settings.data_dir / "fitted"]
    for folder in folders:
        folder.mkdir(exist_ok=True)
        (folder / f".part-{'0' * 32}.mp4").write_bytes(b"half a")
        (folder / "whole.mp4").write_bytes(b"a film")

    async with open_core(settings, QuickExecutor()):
        for folder in folders:
            assert [path.name for path in folder.glob("[!.]*")] == ["whole.mp4"]


async def test_an_input_of_a_waiting_job_is_never_pruned(
    core: Core, submit: Submit, picture: Request, tmp_path: Path
) -> None:
    await submit(request=picture)
    orphan = core.settings.media_folder / f"{'0' * 64}.png"
    orphan.write_bytes(b"left by nobody")
    for path in core.settings.media_folder.iterdir():
        os.utime(path, (0, 0))

    await core.housekeeping.prune()

    assert [path.name for path in core.settings.media_folder.iterdir()] == [
        picture.media()["image"].name
    ]


async def test_a_job_that_waited_too_long_is_given_up_refunded_and_told(
    settings: Settings, delivery: RecordingDelivery, ann: Requester
) -> None:
    clock = ManualClock()
    async with open_core(settings, QuickExecutor(), clock=clock) as core:
        ticket = await submit_request(core, t2v(), ann, ReplyTo("test"), "one")
        clock.forward(25 * 3600)
        assert await core.housekeeping.expire() == 1
        core.router.register(delivery)
        async with running(core):
            await delivery.until(1)

        assert (await core.jobs.get(ticket.job_id)).state is JobState.EXPIRED
        assert [message.kind for message in delivery.of(ticket.job_id)] == ["expired"]
        assert (await core.quotas.quota(ann)).reserved_ms == 0
        assert await core.housekeeping.check() == 0


async def test_a_paused_intake_refuses_new_jobs_and_finishes_accepted_ones(
    core: Core, delivery: RecordingDelivery, submit: Submit, ben: Requester
) -> None:
    core.router.register(delivery)
    accepted = await submit("before")
    await core.intake.set_intake("paused")

    with pytest.raises(IntakeClosed):
        await submit("after", requester=ben)
    assert (await core.health.read()).intake == "paused"
    async with running(core):
        await delivery.until(1)
        await core.intake.set_intake("open")
        await submit("later", requester=ben)
        await delivery.until(2)

    assert len(delivery.of(accepted.job_id)) == 1


async def test_what_costs_more_than_is_left_is_refused_before_anything_is_reserved(
    settings_with: Callable[..., Settings], ann: Requester
) -> None:
    async with open_core(settings_with(quota_minutes=0.0), QuickExecutor()) as core:
        with pytest.raises(QuotaExceeded):
            await submit_request(core, t2v(), ann, ReplyTo("test"), "one")
        assert await core.jobs.jobs_of(ann) == []

        await core.quotas.grant(ann, 60_000)
        assert (await submit_request(core, t2v(), ann, ReplyTo("test"), "two")).job_id


async def test_a_refusal_names_the_largest_setting_that_the_rest_of_the_quota_pays(
    settings_with: Callable[..., Settings], ann: Requester
) -> None:
    large = replace(t2v(), sampling=replace(tiny(frames=121), width=768, height=512))
    async with open_core(settings_with(quota_minutes=0.0), QuickExecutor()) as core:
        cost_ms = core.runs.estimate(large).gpu_ms
        await core.quotas.grant(ann, cost_ms // 2)

        with pytest.raises(TooCostly) as refused:
            await submit_request(core, large, ann, ReplyTo("test"), "one")

        named = refused.value
        assert (named.need_ms, named.limit_ms) == (cost_ms, cost_ms // 2)
        assert str(named.width) in explain(named)
        assert await core.jobs.jobs_of(ann) == []
        assert (await core.quotas.quota(ann)).reserved_ms == 0

        frames = snap_frames(named.seconds, 24)
        fits = replace(large.sampling, width=named.width, height=named.height, frames=frames)
        await submit_request(core, replace(large, sampling=fits), ann, ReplyTo("test"), "two")


async def test_what_a_lender_gives_nobody_at_once_is_refused_before_it_waits(
    core: Core, ann: Requester
) -> None:
    """On a Space the quota here may be large: the day that the device is lent for is not."""
    long = replace(t2v(), sampling=replace(tiny(frames=481), width=1280, height=704))
    core.runs.machine, core.runs.tier = Machine(BY_KEY["rtx-pro-6000-half"], "fp8"), Tier.ANONYMOUS

    with pytest.raises(TooCostly) as refused:
        await submit_request(core, long, ann, ReplyTo("test"), "one")

    named = refused.value
    expected = core.runs.estimate(long)
    assert named.need_ms == core.runs.cost_ms(expected) > expected.gpu_ms
    assert await core.jobs.jobs_of(ann) == []
    assert (await core.quotas.quota(ann)).reserved_ms == 0
    frames = snap_frames(named.seconds, 24)
    fits = replace(long.sampling, width=named.width, height=named.height, frames=frames)
    await submit_request(core, replace(long, sampling=fits), ann, ReplyTo("test"), "two")


async def test_the_line_shows_ones_own_places_and_how_long_it_is(
    core: Core, submit: Submit, ann: Requester, ben: Requester
) -> None:
    await submit("a", requester=ben)
    ticket = await submit("b")

    view = await core.users.queue(caller(ann))

    assert (view.running, view.waiting) == (0, 2)
    assert [place.job.id for place in view.mine] == [ticket.job_id]
    assert view.mine[0].forecast is not None
    assert view.mine[0].forecast.position == 2
    assert ticket.forecast is not None
    assert ticket.forecast.position == 2


async def test_those_who_wait_hear_where_they_are_when_they_move_up(
    core: Core, submit: Submit, ann: Requester, ben: Requester
) -> None:
    first = await submit("a", requester=ben)
    second = await submit("b")
    await core.positions.publish()
    assert core.hub.latest(second.job_id) == Waiting(2, pytest.approx(0, abs=60))

    await core.cancellation.cancel(first.job_id, ben)
    await core.positions.publish()

    latest = core.hub.latest(second.job_id)
    assert isinstance(latest, Waiting)
    assert latest.position == 1


async def test_only_the_front_of_a_long_line_is_told_and_counting_it_reads_ones_own_jobs_only(
    core: Core, submit: Submit, ann: Requester
) -> None:
    others = [await submit("a", requester=Requester("test", f"{n:02}")) for n in range(SHOWN)]
    last = await submit("b")

    await core.positions.publish()
    view = await core.users.queue(caller(ann))

    assert all(core.hub.latest(ticket.job_id) for ticket in others)
    assert core.hub.latest(last.job_id) is None
    assert (view.waiting, [place.job.id for place in view.mine]) == (SHOWN + 1, [last.job_id])


async def test_the_late_forecast_is_the_estimates_own(core: Core, submit: Submit) -> None:
    expected = core.runs.estimate(t2v())

    forecast = (await submit()).forecast

    assert forecast is not None
    assert forecast.ready_in_s * 1000 == expected.gpu_ms
    assert forecast.ready_in_p95_s * 1000 == expected.p95_ms


async def test_a_new_reply_address_is_where_the_result_goes(
    core: Core, delivery: RecordingDelivery, submit: Submit
) -> None:
    elsewhere = RecordingDelivery("elsewhere")
    core.router.register(delivery)
    core.router.register(elsewhere)
    ticket = await submit()

    await core.queue.update_reply_to(ticket.job_id, ReplyTo("elsewhere", {"message": "7"}))
    async with running(core):
        await elsewhere.until(1)

    assert delivery.shown == {}


async def test_latents_of_drafts_go_with_their_job_and_with_time(
    core: Core, delivery: RecordingDelivery, submit: Submit, ann: Requester
) -> None:
    folder = core.settings.latents_folder
    folder.mkdir(parents=True)
    own = folder / f"{latents_name(t2v())}-{'0' * 16}.safetensors"
    old, new = (folder / f"{digit * 64}-{'1' * 16}.safetensors" for digit in "12")
    for path in (own, old, new):
        path.write_bytes(b"x")
    os.utime(old, (0, 0))
    core.router.register(delivery)
    async with running(core):
        ticket = await submit("draft")
        await delivery.until(1)

        await core.users.delete(caller(ann), ticket.job_id)
        await core.housekeeping.prune()

    assert not own.exists()
    assert not old.exists()
    assert new.exists()


@pytest.mark.parametrize("closed", ["paused", "draining", "stopping", "disk", "quota"])
async def test_a_known_key_gives_the_same_ticket_whatever_is_refused_by_now(
    core: Core, ann: Requester, submit: Submit, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    first = await submit("one")
    match closed:
        case "stopping":
            core.submission.close(closed=True)
        case "disk":
            monkeypatch.setattr(core.admission, "has_room", lambda *_: False)
        case "quota":
            await core.quotas.grant(ann, -(10**9))
        case _:
            await core.intake.set_intake(closed)  # pyright: ignore[reportArgumentType]

    again = await submit("one")

    assert again.duplicate
    assert again.job_id == first.job_id
    with pytest.raises((IntakeClosed, QuotaExceeded)):
        await submit("two")


async def test_a_refusal_of_what_guests_share_names_the_setting_that_fits_and_the_reset(
    settings_with: Callable[..., Settings],
) -> None:
    large = replace(t2v(), sampling=replace(tiny(frames=121), width=768, height=512))
    async with open_core(settings_with(), QuickExecutor()) as probe:
        cost_ms = probe.runs.estimate(large).gpu_ms
    settings = settings_with(studio_guest_minutes=1.5 * cost_ms / 60_000)
    async with open_core(settings, QuickExecutor()) as core:
        one, two = (Requester("studio", f"guest-{name}") for name in "ab")
        await submit_request(core, large, one, ReplyTo("studio"), "one")

        with pytest.raises(ShareTooCostly) as refused:
            await submit_request(core, large, two, ReplyTo("studio"), "two")

        named = refused.value
        assert (named.scope, named.limit_ms) == ("guests", (await core.quotas.quota(two)).left_ms)
        assert named.resets_at_ms is not None
        assert "all guests together" in explain(named)
        assert str(named.width) in explain(named)


async def test_pruning_frees_no_limit_whose_window_is_longer_than_clips_are_kept(
    settings_with: Callable[..., Settings], ann: Requester, delivery: RecordingDelivery
) -> None:
    clock = ManualClock(now_ms())
    settings = settings_with(quota_window_hours=24 * 60, retention_days=3)
    async with open_core(settings, QuickExecutor(), clock=clock) as core:
        core.router.register(delivery)
        async with running(core):
            await submit_request(core, t2v(), ann, ReplyTo("test"), "one")
            await delivery.until(1)
        used = (await core.quotas.quota(ann)).used_ms
        for _ in range(5):
            clock.forward(10 * DAY_S)
            await core.housekeeping.prune()
            assert (await core.quotas.quota(ann)).used_ms == used > 0
            assert await core.housekeeping.check() == 0
        assert await core.jobs.jobs_of(ann) == []
