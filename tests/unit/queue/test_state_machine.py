"""Whatever happens in whatever order: every job ends once, and the books agree."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.accounts.limits import DAY, LIMITS, Limit, Window, of_everybody, of_person
from core.accounts.quotas import QuotaRules
from core.domain.jobs import MOVES, Failure, JobState
from core.domain.people import Payer, Requester
from core.domain.quota import Unit
from core.domain.time_units import HOUR_MS
from core.errors import (
    AlreadyFinished,
    IntakeClosed,
    NotYours,
    QuotaExceeded,
    TooManyJobs,
    TooManyQueued,
)
from core.interfaces.delivery import Receipt
from core.queue.job_queue import QueueRules
from core.storage.database import open_database
from core.testing.doubles import ManualClock

USERS = st.sampled_from(["anna", "ben", "cora", "guest-dora"])
PLACES = st.sampled_from(["", "discord:1", "discord:2"])
JOBS = Limit("jobs", of_person, lambda *_: 6, lambda _: Window(HOUR_MS), Unit.JOBS)
EVERYBODY = Limit("machine", of_everybody, lambda *_: 60_000, lambda _: DAY)
PICK = st.integers(0, 1000)


@dataclass
class Mirror:
    """What the test believes of one job."""

    key: str
    user: str
    state: JobState
    token: str = ""
    attempt: int = 0
    begun: bool = False  # the attempt has the device
    place: str = ""
    day: int = 0  # on which it reserved
    cost: int = 0  # what is reserved, then what was charged


def person(user):
    return Requester("studio" if user.startswith("guest-") else "discord", user)


def payer_at(user, place):
    if user.startswith("guest-"):
        return replace(Payer.guest("home"), place="studio")
    return replace(Payer.of(person(user)), place=place)


class Life(RuleBasedStateMachine):
    """Random lives of jobs; the fixtures are set by the test below."""

    make_room = None
    quick_folder = None
    new_database = None

    @initialize()
    def open(self):
        self.runner = asyncio.Runner()
        self.folder = type(self).quick_folder()
        self.url = type(self).new_database(Path(self.folder.name))
        self.clock = ManualClock()
        self.made = 0
        self.jobs: dict[str, Mirror] = {}
        self.stale: list[tuple[str, str]] = []
        self.erased: list[Mirror] = []
        self.rules = QueueRules(
            quota=QuotaRules(
                limit_ms=30_000,
                guests_ms=20_000,
                network_ms=15_000,
                place_ms=40_000,
                window_ms=HOUR_MS,
                table=(*LIMITS, JOBS, EVERYBODY),
            ),
            max_queued=3,
            max_attempts=2,
            wait_limit_ms=2 * HOUR_MS,
        )
        self.runner.run(self._open())

    async def _open(self):
        folder = Path(self.folder.name)
        self.stack = AsyncExitStack()
        database = await self.stack.enter_async_context(open_database(self.url, folder, self.clock))
        self.room = type(self).make_room(database, folder, self.clock, self.rules)
        return await self.room.recovery.recover()

    def teardown(self):
        if hasattr(self, "runner"):
            self.runner.run(self.stack.aclose())
            self.runner.close()
            self.folder.cleanup()

    def do(self, call):
        return self.runner.run(call)

    def in_state(self, *states):
        return sorted(name for name, job in self.jobs.items() if job.state in states)

    def move(self, job_id, state):
        mirror = self.jobs[job_id]
        assert state in MOVES[mirror.state]
        if mirror.token:
            self.stale.append((job_id, mirror.token))
        mirror.state, mirror.token = state, ""
        if state.terminal:
            mirror.cost = self.do(self.room.jobs.get(job_id)).charged_ms

    def today(self):
        return self.clock() // DAY.length_ms

    def new(self, user, estimate, place="", key=None):
        # numbered: the rules pick jobs by their order, and the same picks have to find the same job
        self.made += 1
        new = replace(self.room.new(user, estimate, key), id=f"{self.made:032x}")
        whose = {"requester": person(user), "payer": payer_at(user, place)}
        return replace(new, idempotency_key=key or new.id, **whose)

    def seen(self, user, place):
        return self.do(self.room.quotas.quota(person(user), payer_at(user, place)))

    def mirror_of(self, new, user, state):
        place, cost = new.payer.place, new.estimate_ms
        return Mirror(new.idempotency_key, user, state, place=place, day=self.today(), cost=cost)

    @rule(user=USERS, estimate=st.integers(0, 12_000), place=PLACES)
    def submit(self, user, estimate, place):
        new = self.new(user, estimate, place)
        refusal = self.seen(user, place).refusal(estimate)
        waiting = self.in_state(JobState.HELD, JobState.QUEUED)
        full = sum(self.jobs[name].user == user for name in waiting) >= self.rules.max_queued
        if full or refusal is not None:
            kind = TooManyQueued if full else type(refusal)
            assert kind in {TooManyQueued, QuotaExceeded, TooManyJobs}
            with pytest.raises(kind):
                self.do(self.room.queue.submit(new))
            return
        assert not self.do(self.room.queue.submit(new)).duplicate
        self.jobs[new.id] = self.mirror_of(new, user, JobState.HELD)

    @precondition(lambda self: self.jobs)
    @rule(pick=PICK)
    def submit_again(self, pick):
        name = sorted(self.jobs)[pick % len(self.jobs)]
        mirror = self.jobs[name]
        new = self.new(mirror.user, 1, key=mirror.key)
        done = self.do(self.room.queue.submit(new))
        assert done.duplicate
        assert (done.job.id, done.job.state) == (name, mirror.state)

    @precondition(lambda self: self.jobs)
    @rule(pick=PICK, user=USERS, estimate=st.integers(0, 12_000), paused=st.booleans())
    def replace(self, pick, user, estimate, paused):
        name = sorted(self.jobs)[pick % len(self.jobs)]
        mirror = self.jobs[name]
        owner, new = person(user), self.new(user, estimate, mirror.place)
        before = self.do(self.room.jobs.get(name))
        seen = self.seen(user, mirror.place)
        left = min(one.left for one in seen.balances if one.unit is Unit.GPU_MS)
        left += before.estimate_ms
        late = self.clock() >= before.created_at_ms + HOUR_MS or mirror.day != self.today()
        self.do(self.room.intake.set_intake("paused" if paused else "open"))
        try:
            self.do(self.room.queue.replace(name, owner, new))
        except NotYours:
            assert user != mirror.user
        except AlreadyFinished:
            assert mirror.state not in {JobState.HELD, JobState.QUEUED}
        except IntakeClosed:
            assert paused
        except QuotaExceeded:
            assert estimate > left or late
        except TooManyJobs:
            assert late
        else:
            assert self.do(self.room.jobs.get(name)).charged_ms == 0
            self.jobs[new.id] = self.mirror_of(new, user, mirror.state)
            self.move(name, JobState.CANCELLED)
            before = self.do(self.room.jobs.get(name))
        self.do(self.room.intake.set_intake("open"))
        assert self.do(self.room.jobs.get(name)) == before

    def lose(self, job_id):
        """The attempt is lost; where it had the device, it counts."""
        mirror = self.jobs[job_id]
        last = mirror.begun and mirror.attempt >= self.rules.max_attempts
        mirror.attempt -= 0 if mirror.begun else 1
        self.move(job_id, JobState.FAILED if last else JobState.QUEUED)

    @rule(ahead=st.booleans())
    def claim(self, ahead):
        job = self.do(self.room.queue.claim(ahead=ahead))
        if job is None:
            assert not self.in_state(JobState.HELD, JobState.QUEUED)
            return
        mirror = self.jobs[job.id]
        assert mirror.state in {JobState.HELD, JobState.QUEUED}
        assert job.attempt == mirror.attempt + 1
        mirror.state, mirror.token, mirror.attempt = job.state, job.token, job.attempt
        mirror.begun = not ahead

    @rule(pick=PICK)
    def begin(self, pick):
        running = self.in_state(JobState.RUNNING)
        if running:
            name = running[pick % len(running)]
            assert self.do(self.room.queue.begin(name, self.jobs[name].token)) == self.clock()
            self.jobs[name].begun = True

    @rule(
        pick=PICK, actual=st.integers(0, 30_000), how=st.sampled_from(["settle", "fail", "again"])
    )
    def end_attempt(self, pick, actual, how):
        running = self.in_state(JobState.RUNNING)
        if not running:
            return
        name = running[pick % len(running)]
        token, queue = self.jobs[name].token, self.room.queue
        if how == "settle":
            assert self.do(queue.settle(name, token, self.room.clip(name), actual))
            self.move(name, JobState.SUCCEEDED)
        elif how == "fail":
            assert self.do(queue.fail(name, token, Failure("disk_full"), actual % 3))
            self.move(name, JobState.FAILED)
        else:
            assert self.do(queue.requeue(name, token))
            self.lose(name)

    @precondition(lambda self: self.stale)
    @rule(pick=PICK)
    def zombie(self, pick):
        name, token = self.stale[pick % len(self.stale)]
        queue = self.room.queue
        assert not self.do(queue.beat(name, token))
        assert self.do(queue.begin(name, token)) is None
        assert not self.do(queue.settle(name, token, self.room.clip("zombie"), 5))
        assert not self.do(queue.fail(name, token, Failure("disk_full")))
        assert not self.do(queue.requeue(name, token))

    @precondition(lambda self: self.jobs)
    @rule(pick=PICK, user=USERS, operator=st.booleans())
    def cancel(self, pick, user, operator):
        name = sorted(self.jobs)[pick % len(self.jobs)]
        mirror = self.jobs[name]
        try:
            ended = self.do(self.room.queue.cancel(name, person(user), operator=operator))
        except NotYours:
            assert user != mirror.user
            assert not operator
        except AlreadyFinished:
            assert mirror.state.terminal
        else:
            assert ended.charged_ms == 0 or (mirror.state is JobState.RUNNING and mirror.begun)
            self.move(name, JobState.CANCELLED)

    @precondition(lambda self: self.jobs)
    @rule(pick=PICK)
    def erase(self, pick):
        name = sorted(self.jobs)[pick % len(self.jobs)]
        mirror = self.jobs[name]
        before = self.seen(mirror.user, mirror.place)
        if mirror.state.terminal:
            self.do(self.room.queue.erase(name, person(mirror.user)))
            self.erased.append(self.jobs.pop(name))
            self.stale = [(job_id, token) for job_id, token in self.stale if job_id != name]
        assert self.seen(mirror.user, mirror.place) == before

    @rule(seconds=st.integers(1, 4000))
    def time_passes(self, seconds):
        self.clock.forward(seconds)
        ended = self.do(self.room.recovery.expire())
        for name, mirror in self.jobs.items():
            now = self.do(self.room.jobs.get(name)).state
            assert (name in ended) == (now is not mirror.state and now.terminal)
            if now is not mirror.state:
                assert now in {JobState.EXPIRED, JobState.QUEUED, JobState.FAILED}
                if mirror.state is JobState.RUNNING:
                    self.lose(name)
                if mirror.state is not now:
                    self.move(name, now)

    @rule()
    def restart(self):
        self.do(self.stack.aclose())
        recovery = self.do(self._open())
        running = self.in_state(JobState.RUNNING)
        assert recovery.requeued + recovery.lost == len(running)
        assert recovery.violations == ()
        for name in running:
            self.lose(name)
        for name in self.in_state(JobState.QUEUED):
            if self.do(self.room.jobs.get(name)).state is JobState.EXPIRED:
                self.move(name, JobState.EXPIRED)

    @rule(how=st.sampled_from(["sent", "retry", "dead", "crash"]))
    def deliver(self, how):
        outbox = self.room.outbox
        for owed in self.do(outbox.due(None, 2)):
            assert self.jobs[owed.job.id].state.terminal
            claim = self.do(outbox.begin(owed.job.id))
            assert claim
            if how == "sent":
                assert self.do(outbox.sent(claim, Receipt("1")))
            elif how == "retry":
                assert self.do(outbox.retry(claim, 1000, "busy", ambiguous=False))
            elif how == "dead":
                assert self.do(outbox.dead(claim, "blocked"))

    @invariant()
    def books_agree(self):
        if not hasattr(self, "room"):
            return
        assert self.do(self.room.violations()) == []
        for name, mirror in self.jobs.items():
            job = self.do(self.room.jobs.get(name))
            assert (job.state, job.token or "") == (mirror.state, mirror.token)
            assert job.attempt == mirror.attempt
            assert job.place == mirror.place
        today = [job for job in (*self.jobs.values(), *self.erased) if job.day == self.today()]
        for place in ("discord:1", "discord:2"):
            balances = {one.name: one for one in self.seen("anna", place).balances}
            here, all_ = balances["place"], balances["machine"]
            here_jobs = [job for job in today if job.place == place]
            assert here.used + here.reserved == sum(job.cost for job in here_jobs)
            assert all_.used + all_.reserved == sum(job.cost for job in today)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("lives", [4, 40])  # the first in `make test`, see tests/slow.py
def test_every_life_keeps_the_books(make_room, quick_folder, new_database, lives):
    Life.make_room = staticmethod(make_room)
    Life.quick_folder = staticmethod(quick_folder)
    Life.new_database = staticmethod(new_database)
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=lives,
            stateful_step_count=30,
            suppress_health_check=list(HealthCheck),
        ),
    )
