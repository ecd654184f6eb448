"""What a node was given is counted rightly while its other calls come and go."""

import pytest

from core.domain.jobs import Job
from core.errors import JobUnknown
from core.gate.node_jobs import MOST_HELD, NodeJobs, TooManyHeldError
from core.storage.gate_nodes import GateNode

NODE = GateNode("one", "a" * 64, 0)
IDS = [f"{number}" * 32 for number in range(1, MOST_HELD + 2)]


async def lost(job_id: str) -> Job:
    raise JobUnknown(job_id)


def test_a_node_is_given_no_more_than_a_device_can_be_busy_with() -> None:
    jobs = NodeJobs(lost)
    for job_id in IDS[:MOST_HELD]:
        jobs.give(NODE, job_id, "key")

    with pytest.raises(TooManyHeldError):
        jobs.give(NODE, IDS[MOST_HELD], "key")

    jobs.drop(NODE, IDS[0])
    jobs.give(NODE, IDS[MOST_HELD], "key")


async def test_what_a_node_lost_makes_room_though_another_call_ends_a_job_meanwhile() -> None:
    async def find(job_id: str) -> Job:
        jobs.drop(NODE, IDS[1])
        raise JobUnknown(job_id)

    jobs = NodeJobs(find)
    for job_id in IDS[:MOST_HELD]:
        jobs.give(NODE, job_id, "key")

    await jobs.require_room(NODE)

    for job_id in IDS[:MOST_HELD]:
        jobs.give(NODE, job_id, "key")


async def test_a_job_that_a_node_was_given_anew_while_its_old_key_was_looked_up_counts() -> None:
    async def find(job_id: str) -> Job:
        jobs.drop(NODE, job_id)
        jobs.give(NODE, job_id, "newer")
        raise JobUnknown(job_id)

    jobs = NodeJobs(find)
    for job_id in IDS[:MOST_HELD]:
        jobs.give(NODE, job_id, "key")

    with pytest.raises(TooManyHeldError):
        await jobs.require_room(NODE)
