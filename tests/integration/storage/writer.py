"""A process that lives the life of a queue until it is killed, telling what it was promised.

Run as a script: ``writer.py DATA_DIR SEED``. Every line on the output is a fact that was committed.
"""

import asyncio
import random
import sys
from pathlib import Path

from core.accounts.quotas import QuotaRules
from core.domain.jobs import Failure, ReplyTo
from core.domain.media import Clip
from core.domain.people import Requester
from core.errors import AlreadyFinished, ClapperError, QuotaExceeded, TooManyQueued
from core.interfaces.delivery import Receipt
from core.queue.job_queue import JobQueue, NewJob, QueueRules
from core.queue.recovery import Recovery
from core.storage.database import open_database
from core.storage.job_queries import JobQueries
from core.storage.outbox import Outbox
from core.testing.doubles import t2v

USERS = [Requester("discord", name) for name in ("anna", "ben", "cora")]


def tell(word: str, *values: str) -> None:
    sys.stdout.write(" ".join((">", word, *values)) + "\n")  # beside the log
    sys.stdout.flush()


async def submit(queue: JobQueue, dice: random.Random) -> None:
    requester = dice.choice(USERS)
    job_id = f"{dice.getrandbits(128):032x}"
    new = NewJob(job_id, requester, t2v(), ReplyTo("discord"), 100, job_id)
    try:
        answers = await asyncio.gather(queue.submit(new), queue.submit(new))
    except (TooManyQueued, QuotaExceeded):
        return
    assert sorted(answer.duplicate for answer in answers) == [False, True]
    tell("accepted", job_id)


async def work(queue: JobQueue, clips: Path, dice: random.Random) -> None:
    job = await queue.claim()
    if job is None:
        return
    token = job.token or ""
    await queue.beat(job.id, token)
    if dice.random() < 0.2:
        await queue.fail(job.id, token, Failure("disk_full"))
    elif dice.random() < 0.2:
        await queue.requeue(job.id, token)
    else:
        clip = Clip(clips / "a.mp4", clips / "a.png", "5" * 64, 1, 64, 64, 9, 24.0, True)
        if await queue.settle(job.id, token, clip, dice.randrange(200)):
            tell("settled", job.id)


async def deliver(outbox: Outbox) -> None:
    for owed in await outbox.due("discord", 3):
        claim = await outbox.begin(owed.job.id)
        if claim is None:
            continue
        tell("shown", owed.job.id, str(owed.attempt.ambiguous))
        if await outbox.sent(claim, Receipt("1")):
            tell("delivered", owed.job.id)


async def cancel(queue: JobQueue, jobs: JobQueries, dice: random.Random) -> None:
    requester = dice.choice(USERS)
    for job in (await jobs.live_of(requester))[:1]:
        try:
            await queue.cancel(job.id, requester)
        except AlreadyFinished:
            continue


async def main(folder: Path, seed: int) -> None:
    dice = random.Random(seed)
    clips = folder / "clips"
    rules = QueueRules(quota=QuotaRules(limit_ms=10**9))
    async with open_database(
        f"sqlite+aiosqlite:///{folder / 'clapper.sqlite'}", folder
    ) as database:
        queue, outbox = JobQueue(database, rules, clips), Outbox(database, clips)
        jobs = JobQueries(database, clips)
        recovery = await Recovery(database, rules, clips).recover()
        assert recovery.violations == (), recovery.violations
        tell("ready")
        while True:
            tasks = [submit(queue, dice), submit(queue, dice), work(queue, clips, dice)]
            tasks += [deliver(outbox), cancel(queue, jobs, dice)] if dice.random() < 0.5 else []
            await asyncio.gather(*tasks)


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
    except ClapperError as error:
        tell("refused", error.code)
        sys.exit(3)
