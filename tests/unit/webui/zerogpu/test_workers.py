"""Which worker a loan should meet, and what one loan shows for the next."""

import os
from pathlib import Path

import pytest

from core.domain.jobs import Failure
from core.domain.progress import Stage, Working
from core.duration import BY_KEY, Machine, Tier, WorkerState
from core.i18n.messages import explain, explain_end
from core.interfaces.executor import Order
from core.testing.doubles import t2v
from tests.support.clocks import Seconds
from webui.zerogpu.executor import LeasedExecutor
from webui.zerogpu.lease import Seen, WorkerReport
from webui.zerogpu.loan_record import LoanRecord
from webui.zerogpu.planning import CallLimits, Plan
from webui.zerogpu.request_context import RequestContexts
from webui.zerogpu.workers import KEPT_S, Workers

HERE = os.getpid()
HALF = Machine(BY_KEY["rtx-pro-6000-half"], "fp8")


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def workers(clock: Seconds) -> Workers:
    """Workers of which one, this very process, made a clip."""
    found = Workers(clock)
    found.met("large", HERE, None, warm=False)
    found.free(HERE, warm=True)
    return found


def test_a_worker_is_expected_once_until_it_is_free_again(workers: Workers) -> None:
    assert workers.expect("xlarge") is None
    assert workers.expect("large") == HERE
    assert workers.expect("large") is None

    workers.free(HERE)

    assert workers.expect("large") == HERE


def test_a_worker_that_ended_or_is_too_old_is_not_expected(
    workers: Workers, clock: Seconds
) -> None:
    clock.now += KEPT_S + 1
    assert workers.expect("large") is None

    clock.now -= 2
    workers.lost(HERE)
    assert workers.expect("large") is None


def test_how_long_workers_are_kept_is_learnt_from_those_that_were_not_offered(
    workers: Workers, clock: Seconds
) -> None:
    clock.now += 90
    assert workers.expect("large") == HERE
    workers.met("large", HERE + 1, HERE, warm=False)  # the lender chose another GPU

    assert workers.keep_s == 90
    workers.met("large", HERE, None, warm=True)
    clock.now += 300
    workers.met("large", HERE, None, warm=True)
    assert workers.keep_s == 300


def test_a_worker_without_a_clip_is_not_warm(clock: Seconds) -> None:
    workers = Workers(clock)
    workers.met("large", HERE, None, warm=False)
    workers.free(HERE)

    assert workers.expect("large") is None


def test_a_record_tells_pace_start_and_cost_of_a_loan(clock: Seconds) -> None:
    loan = LoanRecord(60.0, counted=2.0, on_device=0.5, clock=clock)
    clock.now += 7  # in the lender's line, which costs nothing
    loan.meet(WorkerReport(HERE, False, clock.now))
    assert loan.run_s() is None
    clock.now += 20
    loan.observe(Seen(Working(Stage.LOAD, 0, 1, 0.0), clock.now))
    assert loan.ready_s is None
    loan.observe(Seen(Working(Stage.STAGE1, 1, 8, 0.0), clock.now))
    clock.now += 10
    loan.observe(Seen(Working(Stage.STAGE1, 4, 8, 0.25), clock.now))
    loan.end(lent=True)
    clock.now += 99

    assert loan.ready_s == 20
    assert loan.run_s() == 20
    assert (loan.spent_s, loan.counted_s) == (30, 60)


def test_a_loan_costs_what_was_granted_at_most_and_nothing_where_none_came(clock: Seconds) -> None:
    refused, died = LoanRecord(60.0, clock=clock), LoanRecord(60.0, clock=clock)
    clock.now += 200
    refused.end(lent=False)
    died.end(lent=True)  # before the worker could say a word

    assert (refused.spent_s, died.spent_s) == (0, 60)


def test_the_device_that_was_lent_is_the_one_of_later_estimates() -> None:
    executor = LeasedExecutor("comfy", HALF, RequestContexts(), Tier.PRO)

    executor._look_at(WorkerReport(1, False, 0.0, "a card that nobody knows", 1))
    assert executor.machine == HALF
    executor._look_at(WorkerReport(1, False, 0.0))
    assert executor.machine == HALF
    executor._look_at(WorkerReport(1, False, 0.0, "NVIDIA H200", 150 * 10**9))

    assert executor.device == "h200"
    assert executor.machine.hardware.memory == 150 * 10**9
    assert executor.machine.hardware.zerogpu == "large"  # asked for by that name


@pytest.mark.parametrize("tier", Tier)
def test_a_second_try_stays_in_what_the_day_has_left(tier: Tier, clock: Seconds) -> None:
    order = Order("j", 1, t2v(), Path(), Path())
    plan = Plan(order, HALF, tier, CallLimits(), WorkerState(imported=True, cached=1.0), 60.0)
    tried = LoanRecord(60.0, clock=clock)
    tried.meet(WorkerReport(HERE, False, clock.now))
    tried.observe(Seen(Working(Stage.STAGE1, 0, 8, 0.0), clock.now))
    clock.now += 60
    tried.observe(Seen(Working(Stage.STAGE1, 4, 8, 0.5), clock.now))
    tried.end(lent=True)

    again = plan.longer(tried)

    if tier is Tier.ANONYMOUS:  # 60 s are left, and it takes 120
        assert again is None
    else:
        assert again is not None
        assert 120 <= again.granted_s <= 1.3 * 120


def test_a_length_that_was_refused_is_remembered_for_its_tier_only() -> None:
    limits = CallLimits()

    assert limits.refused(Tier.FREE, 290.0) == 240
    assert limits.refused(Tier.FREE, 130.0) == 120
    assert limits.refused(Tier.FREE, 290.0) == 120
    assert limits.most_s(Tier.FREE) == 120
    assert limits.most_s(Tier.PRO) is None
    assert limits.refused(Tier.PRO, 40.0) == 0


@pytest.mark.parametrize("locale", ["en", "de"])
def test_nothing_was_charged_is_only_said_where_it_is_so(locale: str) -> None:
    failure = Failure("internal_error")

    assert explain_end(failure, 0, locale) == explain(failure, locale)
    told = explain_end(failure, 73_000, locale)
    assert explain(Failure("generation_failed"), locale) not in told
    assert "1" in told
    assert "13" in told  # minutes and seconds
    unknown = explain_end(Failure("out_of_memory"), 73_000, locale)  # stored without its fields
    assert unknown == explain_end(Failure("generation_failed"), 73_000, locale)
