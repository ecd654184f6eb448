"""What must be true after a cluster was tortured: nothing lost, nothing doubled, nothing left."""

import json
import time
from collections import Counter
from dataclasses import asdict, dataclass

from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.object_sweep import ObjectSweep
from core.settings import load_settings
from core.storage.invariants import check
from core.testing.doubles import QuickExecutor
from tests.cluster.machines import PREFIX, SETTINGS, Cluster

HOUR_S = 3600
TERMINAL = ("succeeded", "failed", "cancelled", "expired")


@dataclass
class Audit:
    """What was found; all but ``jobs``, ``attempts`` and ``swept`` has to be 0."""

    jobs: int = 0
    attempts: int = 0
    swept: int = 0  # files in the bucket that no row named
    lost: int = 0
    refused: int = 0  # jobs that ended without a clip
    settled_twice: int = 0
    posted_twice: int = 0
    never_posted: int = 0
    violations: int = 0
    orphans: int = 0  # files that no row names, after the sweep
    missing: int = 0  # files that a row names and the bucket has not

    def wrong(self) -> dict[str, int]:
        """Return what is not 0 and has to be."""
        fine = {"jobs", "attempts", "swept"}
        return {name: value for name, value in asdict(self).items() if value and name not in fine}


async def audit(cluster: Cluster) -> Audit:
    """Look at rows, bucket and posts, once all nodes have ended."""
    acks = [json.loads(line) for line in (cluster.folder / "acks").read_text().splitlines()]
    accepted = {ack["id"] for ack in acks}
    assert {ack["number"] for ack in acks} == set(range(cluster.jobs))
    found = Audit(jobs=len(accepted))
    _count_rows(cluster, accepted, found)
    posts = cluster.book.posts()
    found.posted_twice = sum(count > 1 for count in posts.values())
    found.never_posted = len(accepted - set(posts))
    settings = load_settings(
        **{name.lower(): value for name, value in SETTINGS.items()},
        **cluster.bucket.settings(PREFIX),
        data_dir=cluster.folder / "auditor",
        database_url=cluster.server.url(),
    )
    async with open_core(settings, QuickExecutor(), announce=lambda _: None) as core:
        async with core.database.transaction() as connection:
            found.violations = len(await check(connection))
        found.swept = await _objects(core).sweep(time.time() + 2 * HOUR_S)
    named = _named(cluster)
    there = {name for name in cluster.bucket.names(PREFIX) if name.startswith("clips/")}
    found.orphans, found.missing = len(there - named), len(named - there)
    return found


def _count_rows(cluster: Cluster, accepted: set[str], found: Audit) -> None:
    """Count how jobs ended, by their rows and by their histories."""
    with cluster.server.connect() as connection:
        states = dict(connection.execute("SELECT id, state FROM job").fetchall())
        settled = "SELECT count(*) FROM job_event WHERE what = 'succeeded' GROUP BY job_id"
        settled_times = [row[0] for row in connection.execute(settled)]
        row = connection.execute("SELECT coalesce(sum(attempt), 0)::int FROM job").fetchone()
    ends = Counter(states.get(job_id, "gone") for job_id in accepted)
    found.lost = len(accepted) - sum(ends[state] for state in TERMINAL)
    found.refused = sum(ends[state] for state in TERMINAL) - ends["succeeded"]
    found.settled_twice = sum(count > 1 for count in settled_times)
    found.attempts = row[0] if row else 0


def _named(cluster: Cluster) -> set[str]:
    """Return the names of all clips and posters that rows have."""
    with cluster.server.connect() as connection:
        rows = connection.execute("SELECT path, poster FROM artifact").fetchall()
    return {f"clips/{name.rpartition('/')[2]}" for row in rows for name in row}


def _objects(core: Core) -> ObjectSweep:
    return core.housekeeping._pruning._objects
