"""A job that cannot be read any more is shown by every front, and breaks no list."""

from dataclasses import replace
from pathlib import Path

import pytest

from bots.discord.rendering import job_view as discord_view
from bots.discord.rendering import texts_for as discord_texts
from bots.shared.captions import Telling, alt_text, caption
from bots.shared.history import history_text
from bots.telegram.rendering import job_keyboard
from bots.telegram.rendering import texts_for as telegram_texts
from core.cli.job_lines import job_as_json
from core.control.reports import JobReport
from core.domain.jobs import Failure, Forecast, Job, JobState, ReplyTo
from core.domain.media import Clip
from core.domain.people import Requester
from core.domain.progress import Stage, Waiting, Working
from core.service.views import QueuedJob, QueueView
from webui.views.job_status import Moment
from webui.views.jobs import job_view

CLIP = Clip(Path("a.mp4"), Path("a.png"), "0" * 64, 1, 384, 256, 9, 24, has_sound=True)
BASE = Job("0" * 32, Requester("file", "1"), None, ReplyTo("file"), JobState.HELD, 1, 1, None, 1)
FAILED = replace(BASE, state=JobState.FAILED, failure=Failure("request_unreadable"), charged_ms=0)
JOBS = [
    BASE,
    replace(BASE, state=JobState.RUNNING),
    FAILED,
    replace(BASE, state=JobState.SUCCEEDED, clip=CLIP, charged_ms=5),
]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.state)
@pytest.mark.parametrize("locale", ["en", "de"])
async def test_every_front_shows_it(job: Job, locale: str) -> None:
    forecast = Forecast(1, 2.0, 3.0)
    for texts in (discord_texts(locale), telegram_texts(locale)):
        shown = [
            history_text(texts, [job], 1, 1024),
            texts.details(job),
            texts.admin_jobs([job]),
            texts.result(job),
            alt_text(texts, job, "", 100),
            caption(texts, job, Telling(), 100),
            texts.progress(job, Waiting(1, 2.0)),
            texts.progress(job, Working(Stage.STAGE1, 1, 8, 0.5)),
            texts.line(QueueView(0, 1, (QueuedJob(job, forecast),))),
        ]
        assert all(shown)
        assert "unreadable" not in " ".join(shown) or locale == "en"
    job_keyboard(job, locale)
    discord_view(job, locale)
    page = job_view(job, Moment(forecast=forecast))
    assert (page.prompt, page.facts) == ("", "")
    assert job_as_json(JobReport.of(job))["mode"] == "unreadable"
