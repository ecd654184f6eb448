"""When a process gives its device up, and who is to blame."""

from pathlib import Path

import pytest

from core.domain.jobs import Job, JobState, ReplyTo, RequeueReason
from core.domain.people import Requester
from core.errors import DeviceLost, InternalError
from core.runtime.notifier import LocalDispatcher
from core.testing.doubles import t2v
from core.worker.attempt import JobAttempt, Phase
from core.worker.device_watch import DeviceWatch

JOB = Job(
    *("a" * 32, Requester("test", "ann"), t2v(), ReplyTo("test"), JobState.RUNNING, 1000, 1),
    token="b" * 32,
    created_at_ms=0,
)


@pytest.fixture
def executing(tmp_path: Path) -> JobAttempt:
    attempt = JobAttempt(JOB, tmp_path, LocalDispatcher())
    attempt.enter(Phase.EXECUTING)
    return attempt


def test_a_job_that_succeeds_between_two_that_break_ends_the_doubt(executing: JobAttempt) -> None:
    watch = DeviceWatch()

    watch.judge(InternalError(), executing)
    watch.works()
    watch.judge(InternalError(), executing)
    assert watch.lost is None

    assert watch.judge(InternalError(), executing) is watch.lost
    assert watch.lost is not None
    assert watch.lost.reason == "doubt"


def test_a_call_that_returns_after_all_counts_no_longer() -> None:
    watch = DeviceWatch()

    for _ in range(5):
        watch.left_behind(2)
        watch.returned()
    assert watch.lost is None

    watch.left_behind(2)
    watch.left_behind(2)
    assert watch.lost is not None
    assert watch.lost.reason == "stuck"


def test_a_job_is_blamed_only_where_the_device_worked_for_others() -> None:
    watch = DeviceWatch()

    assert watch.blame(DeviceLost("cuda")) is RequeueReason.DOUBTED
    watch.works()
    assert watch.blame(DeviceLost("cuda")) is RequeueReason.DEVICE
    assert watch.blame(DeviceLost("stuck")) is RequeueReason.STOPPED
