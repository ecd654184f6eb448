"""Which buttons a job offers, over every state, mode and preset."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from core.domain.followups import Action, actions_for
from core.domain.jobs import Job, JobState, ReplyTo
from core.domain.limits import RequestLimits
from core.domain.media import Clip, MediaFile
from core.domain.modes import MODES, Mode
from core.domain.people import Requester
from core.domain.presets import Preset
from core.domain.requests import Sampling, make_request

LIVE = "cancel details"
OVER = "again edit details delete"
OFFERED = {
    JobState.HELD: LIVE,
    JobState.QUEUED: LIVE,
    JobState.RUNNING: LIVE,
    JobState.SUCCEEDED: "again edit longer last_frame quality fetch details delete",
    JobState.FAILED: OVER,
    JobState.CANCELLED: OVER,
    JobState.EXPIRED: OVER,
}
CLIP = Clip(Path("a.mp4"), Path("a.png"), "0" * 64, 1, 384, 256, 9, 24, has_sound=True)
EVERY_JOB = list(product(JobState, Mode, Preset))


def job_in(state: JobState, mode: Mode, preset: Preset) -> Job:
    files = {
        slot.role: MediaFile("0" * 64, ".x", slot.kind, 10, 640, 480, seconds=30, fps=24)
        for slot in MODES[mode].slots
    }
    request = make_request(mode, "a cat", Sampling(preset, 384, 256, 9, 24, seed=7), files)
    clip = CLIP if state is JobState.SUCCEEDED else None
    reply_to = ReplyTo("file")
    return Job("0" * 32, Requester("file", "1"), request, reply_to, state, 1, 1, None, 1, clip=clip)


@pytest.mark.parametrize(("state", "mode", "preset"), EVERY_JOB)
def test_a_job_offers_what_its_state_allows(state: JobState, mode: Mode, preset: Preset) -> None:
    offered = [Action(name) for name in OFFERED[state].split()]
    if preset is Preset.QUALITY or MODES[mode].continues:  # there is nothing better to ask for
        offered = [action for action in offered if action is not Action.QUALITY]

    assert actions_for(job_in(state, mode, preset)) == tuple(offered)


@pytest.mark.parametrize(("mode", "preset"), list(product(Mode, Preset)))
def test_a_clip_that_was_removed_cannot_be_fetched_nor_go_on(mode: Mode, preset: Preset) -> None:
    whole = job_in(JobState.SUCCEEDED, mode, preset)
    need_it = {Action.FETCH, Action.LONGER, Action.LAST_FRAME}

    rest = actions_for(replace(whole, clip=None))

    assert rest == tuple(action for action in actions_for(whole) if action not in need_it)


def test_a_film_that_is_as_long_as_it_may_be_is_not_offered_to_go_on() -> None:
    job = job_in(JobState.SUCCEEDED, Mode.EXTEND, Preset.FAST)
    whole = replace(job, clip=replace(CLIP, frames=24 * 60))

    assert Action.LONGER in actions_for(job, RequestLimits())
    assert Action.LONGER not in actions_for(whole, RequestLimits())
    assert Action.LONGER in actions_for(whole, RequestLimits(max_film_seconds=70))


@pytest.mark.parametrize(
    "limits",
    [RequestLimits(max_seconds=5), RequestLimits(max_fps=12), RequestLimits(max_side=320)],
)
@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.FAILED])
def test_what_todays_limits_would_refuse_is_not_offered(state, limits) -> None:
    job = job_in(state, Mode.T2V, Preset.FAST)
    long = replace(job.request, sampling=replace(job.request.sampling, frames=241))
    job = replace(job, asked=long)

    offered = actions_for(job, limits)

    assert not {Action.AGAIN, Action.LONGER} & set(offered)
    assert {Action.EDIT, Action.DETAILS, Action.DELETE} <= set(offered)
    assert Action.AGAIN in actions_for(job, RequestLimits())


def test_a_job_that_cannot_be_read_offers_only_what_works_without_reading_it() -> None:
    job = replace(job_in(JobState.SUCCEEDED, Mode.T2V, Preset.FAST), asked=None)

    assert actions_for(job) == (Action.FETCH, Action.DETAILS, Action.DELETE)
    assert actions_for(replace(job, clip=None)) == (Action.DETAILS, Action.DELETE)
