"""Several visitors of one Space at once, each on a GPU that is lent in their own name."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from core.testing.doubles import eventually
from tests.space.machine import Machine
from webui.testing.zerogpu import Lease, Rules


def at_once(leases: list[Lease]) -> int:
    """The most leases that were open at a time."""
    moments = [one.began for one in leases]
    return max(
        sum(one.began <= at and (one.ended is None or one.ended > at) for one in leases)
        for at in moments
    )


async def test_three_visitors_have_their_gpus_at_the_same_time(machine: Machine) -> None:
    machine.close_gate()
    names = ("ada", "ben", "eve")
    async with AsyncExitStack() as stack:
        space = await stack.enter_async_context(machine.running())
        people = [await stack.enter_async_context(space.visitor(name)) for name in names]
        jobs = await asyncio.gather(*(one.ask() for one in people))
        waiting = [
            asyncio.create_task(one.made(job)) for one, job in zip(people, jobs, strict=True)
        ]

        async def all_there() -> bool:
            return len(machine.standing()) == len(names)

        await eventually(all_there, 300)
        machine.open_gate()
        clips = await asyncio.gather(*waiting)

    assert len(set(clips)) == len(names)
    assert sorted(one.visitor for one in machine.lender.leases) == sorted(names)
    assert at_once(machine.lender.leases) == len(names)
    assert {one.how for one in machine.lender.leases} == {"released"}
    assert len({name.rpartition("-")[2] for name in machine.standing()}) == len(names)


class TestWithAgedTokens:
    @pytest.fixture
    def rules(self) -> Rules:
        return Rules(kills=True, gpus=1, token_s=120)

    async def test_a_token_that_aged_in_the_line_is_taken_fresh_from_the_page(
        self, machine: Machine
    ) -> None:
        machine.close_gate()
        async with (
            machine.running(CLAPPER_STUDIO_CONCURRENT="1") as space,
            space.visitor("ada") as ada,
            space.visitor("ben") as ben,
        ):
            first = await ada.ask()

            async def begun() -> bool:
                return len(machine.standing()) == 1

            await eventually(begun, 300)
            ben.token = machine.lender.token("ben")
            second = await ben.ask()
            machine.lender.expire(ben.token)
            ben.token = ""
            asking = asyncio.create_task(ben.made(second))  # asks on, each time with a new token
            await ben.state(second)
            machine.open_gate()
            await ada.made(first)
            await asking

        assert [one.visitor for one in machine.lender.leases] == ["ada", "ben"]
