"""When ages may be believed: not while the wall clock is away, nor right after it was adopted."""

from core.queue.time_guard import MINUTE_MS, SETTLED_MS, StepRules, TimeGuard
from tests.support.clocks import HOUR_S, Time


async def test_nothing_is_pruned_while_the_wall_clock_is_away_and_all_is_well_once_it_is_back(room):
    """Files bear its time, which says nothing of their age meanwhile."""
    time = Time()
    guard = TimeGuard(room.database, time.clock(), StepRules())
    await guard.open()
    assert guard.may_prune

    time.steps(HOUR_S)
    await guard.look()
    assert not guard.may_prune
    assert guard.may_expire  # what waits goes by a clock that did not step

    time.steps(-HOUR_S)
    await guard.look()
    assert guard.may_prune


async def test_a_clock_that_stays_is_believed_and_ages_rest_for_as_long_as_it_stepped(room):
    time = Time()
    guard = TimeGuard(room.database, time.clock(), StepRules())
    await guard.open()
    time.steps(HOUR_S)
    for _ in range(SETTLED_MS // MINUTE_MS + 2):
        await guard.look()
        time.passes(60)
    assert (guard.may_prune, guard.may_expire) == (False, False)

    for _ in range(HOUR_S // 60 + 1):
        time.passes(60)
        await guard.look()
    assert (guard.may_prune, guard.may_expire) == (True, True)
