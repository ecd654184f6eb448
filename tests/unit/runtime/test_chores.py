"""Chores of one process."""

import asyncio

import pytest

from core.runtime.chores import Chore, LocalChores


@pytest.mark.parametrize(
    ("names", "does"),
    [(["prune", "prune_files"], ["prune"]), (["prune_files"], ["prune_files"])],
    ids=["who prunes everything", "who prunes its own files alone"],
)
async def test_what_another_chore_of_the_process_does_as_well_is_not_done_twice(
    names: list[str], does: list[str]
) -> None:
    done, stop = [], asyncio.Event()

    def chore(name: str) -> Chore:
        async def do() -> None:
            await asyncio.sleep(0)
            done.append(name)
            stop.set()

        return Chore(name, 0, do, part_of="prune" if name == "prune_files" else "")

    async with asyncio.timeout(30):
        await LocalChores().run([chore(name) for name in names], stop)

    assert done == does
