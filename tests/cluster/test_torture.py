"""Nodes, server and lines fail at random moments: nothing is lost, and nothing is done twice."""

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict

import pytest

from tests.cluster.books import audit
from tests.cluster.conftest import NodesAtWork
from tests.cluster.machines import LEASE_S, Cluster

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.timeout(1800)]
Blow = Callable[[Cluster, random.Random], Awaitable[None]]


async def kill_a_worker(cluster: Cluster, dice: random.Random) -> None:
    await asyncio.to_thread(cluster.kill, dice.choice(cluster.workers))


async def kill_the_front(cluster: Cluster, dice: random.Random) -> None:
    await asyncio.to_thread(cluster.kill, cluster.front)


async def kill_the_postmaster(cluster: Cluster, dice: random.Random) -> None:
    await asyncio.to_thread(cluster.server.kill)
    await asyncio.to_thread(cluster.server.start_again)


async def stop_a_node(cluster: Cluster, dice: random.Random) -> None:
    """Stop it for longer than its lease, as a laptop that sleeps, and let it go on."""
    node = dice.choice(cluster.nodes)
    node.signal(signal.SIGSTOP)
    await asyncio.sleep(2.5 * LEASE_S)
    node.signal(signal.SIGCONT)


async def pull_the_cable(cluster: Cluster, dice: random.Random) -> None:
    """Nothing comes through for longer than a lease; then what was sent does, or nothing."""
    line = dice.choice(cluster.nodes).line
    line.die()
    await asyncio.sleep(2.5 * LEASE_S)
    dice.choice((line.live, line.cut))()


async def cut_the_line(cluster: Cluster, dice: random.Random) -> None:
    dice.choice(cluster.nodes).line.cut()


async def mute_the_bus(cluster: Cluster, dice: random.Random) -> None:
    """No node hears of another one for a while."""
    for node in cluster.nodes:
        node.line.muted = True
    await cluster.until_told(cluster.told + 5)
    for node in cluster.nodes:
        node.line.muted = False


KILLS: tuple[Blow, ...] = (kill_a_worker, kill_a_worker, kill_a_worker, kill_the_front)
OTHERS: tuple[Blow, ...] = (stop_a_node, pull_the_cable, cut_the_line, mute_the_bus)


async def torture(cluster: Cluster, blows: list[Blow], dice: random.Random) -> None:
    """Do all of ``blows`` in their order, spread over the jobs; then let the rest be done."""
    step = cluster.jobs / (len(blows) + 1)
    for number, blow in enumerate(blows, 1):
        await cluster.until_told(round(step * number * dice.uniform(0.9, 1.0)))
        await blow(cluster, dice)
        cluster.done[blow.__name__] += 1
    for node in cluster.nodes:
        node.line.live()
    await cluster.until_told(cluster.jobs, 300)
    await asyncio.to_thread(cluster.stop)


async def assert_whole(cluster: Cluster, note: Callable[[str], None], seconds: float) -> None:
    found = await audit(cluster)
    withheld = sum(node.line.lost for node in cluster.nodes)
    note(f"  {seconds:.0f} s; {_listed(cluster.done)}; {withheld} messages withheld")
    note(f"  {_listed(asdict(found))}")
    assert found.jobs == cluster.jobs
    assert found.wrong() == {}, cluster.last_words()


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())


async def test_one_of_each_failure_loses_nothing_and_repeats_nothing(
    nodes_at_work: NodesAtWork, note: Callable[[str], None]
) -> None:
    blows = [kill_a_worker, kill_the_front, kill_the_postmaster, cut_the_line, stop_a_node]
    began = time.monotonic()
    async with nodes_at_work(workers=2, jobs=40, render_s=0.1) as cluster:
        await torture(cluster, blows, random.Random(17))
        await assert_whole(cluster, note, time.monotonic() - began)


@pytest.mark.load
async def test_fifty_kills_over_a_thousand_jobs_lose_nothing_and_repeat_nothing(
    nodes_at_work: NodesAtWork, note: Callable[[str], None]
) -> None:
    dice = random.Random(2026)
    blows = [*KILLS * 12, *[kill_the_postmaster] * 4, *OTHERS * 4]
    began = time.monotonic()
    async with nodes_at_work(workers=4, jobs=1000, copied=True) as cluster:
        await torture(cluster, dice.sample(blows, len(blows)), dice)
        await assert_whole(cluster, note, time.monotonic() - began)
