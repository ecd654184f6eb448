"""Visitors of a Space: side by side, each in their own name, and told where they have left."""

import json
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from core.testing.doubles import eventually
from tests.support import lent_gpu
from webui.testing.zerogpu import Lender, lending

PROGRAM = Path(__file__).with_name("visitors_program.py")
VALUES = {"preset": "fast", "seconds": 1, "width": 256, "height": 256}


@pytest.fixture(scope="module")
def lender() -> Generator[Lender]:
    with lending() as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("space")


@pytest.fixture(scope="module")
def space(lender: Lender, folder: Path) -> Generator[str]:
    """A Space that serves for all tests; gives its address."""
    log, command = folder / "log", [sys.executable, str(PROGRAM), str(folder)]
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            env=lent_gpu.variables(folder, lender),
        ) as process,
    ):
        address = _address_in(log, process)
        yield address
        assert process.stdin
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _address_in(log: Path, process: "subprocess.Popen[bytes]") -> str:
    while process.poll() is None:
        for line in log.read_text("utf-8", "replace").splitlines():
            if line.startswith('{"url"'):
                return str(json.loads(line)["url"])
        time.sleep(0.05)  # no event tells of a line in a file
    raise EOFError(log.read_text("utf-8", "replace"))


class Guest:
    """One visitor with a page, or a program."""

    def __init__(self, client: httpx.AsyncClient, lender: Lender, folder: Path, name: str) -> None:
        self.name = name
        self.job = ""
        self.token = ""
        self._client = client
        self._lender = lender
        self._folder = folder

    def renew(self) -> str:
        """Have a new token, as the platform gives one with every request."""
        self.token = f"{self.name}-{uuid4().hex[:8]}"
        self._client.headers["x-ip-token"] = self.token
        return self.token

    async def generate(self, *, renewed: bool = True) -> None:
        if renewed:
            self.renew()
        body = {"values": {**VALUES, "prompt": self.name}, "key": uuid4().hex}
        answer = (await self._client.post("/studio/forms/t2v/generate", json=body)).json()
        assert answer["job"], answer
        self.job = answer["job"]

    async def look(self) -> dict[str, Any]:
        """Do what the page does every second."""
        return (await self._client.get(f"/studio/state?job={self.job}")).json()

    async def cancel(self) -> None:
        await self._client.post(f"/studio/jobs/{self.job}/cancel")

    async def is_(self, state: str) -> bool:
        return (await self.look())["job"]["state"] == state

    def let_go(self) -> None:
        (self._folder / self.name).touch()

    def asked(self) -> list[str]:
        """The tokens with which a GPU was asked for in this visitor's name, in order."""
        tokens = [asked.get("token", "") for asked in self._lender.asked]
        return [token for token in tokens if token.startswith(self.name)]


Invite = Callable[[str], Awaitable[Guest]]


@pytest.fixture
async def invite(space: str, lender: Lender, folder: Path) -> AsyncGenerator[Invite]:
    guests: list[Guest] = []
    async with AsyncExitStack() as stack:

        async def arrive(name: str) -> Guest:
            name = f"{name}{uuid4().hex[:6]}"
            headers = {"X-Clapper": "1", "X-Clapper-Key": f"{name}-{uuid4().hex}"}
            client = httpx.AsyncClient(base_url=space, headers=headers, timeout=60)
            guests.append(Guest(await stack.enter_async_context(client), lender, folder, name))
            return guests[-1]

        yield arrive
        for guest in guests:
            guest.let_go()


async def lent(lender: Lender, *guests: Guest) -> None:
    """Wait until each of ``guests`` has a GPU, at the same time."""

    async def all_have() -> bool:
        open_now = {one.visitor for one in lender.leases if one.ended is None}
        return all(guest.token in open_now for guest in guests)

    await eventually(all_have, 60)


async def three(invite: Invite, lender: Lender) -> list[Guest]:
    guests = [await invite(name) for name in ("ann", "ben", "cem")]
    for guest in guests:
        await guest.generate()
    await lent(lender, *guests)
    return guests


async def done(*guests: Guest) -> None:
    for guest in guests:
        guest.let_go()
        await eventually(lambda guest=guest: guest.is_("succeeded"), 60)


async def test_three_visitors_have_a_gpu_each_at_once_and_in_their_own_name(
    invite: Invite, lender: Lender
) -> None:
    guests = await three(invite, lender)

    states = [(await guest.look())["job"] for guest in guests]
    assert [state["state"] for state in states] == ["running"] * 3
    assert [guest.asked() for guest in guests] == [[guest.token] for guest in guests]
    await done(*guests)


async def test_a_cancel_of_one_takes_no_gpu_from_the_others(invite: Invite, lender: Lender) -> None:
    ann, ben, cem = await three(invite, lender)
    dee = await invite("dee")
    await dee.generate()

    await ben.cancel()
    await lent(lender, ann, cem, dee)

    assert await ben.is_("cancelled")
    await done(ann, cem, dee)


async def test_who_waited_longer_than_a_token_lives_borrows_with_the_one_of_now(
    invite: Invite, lender: Lender
) -> None:
    ann, ben, cem = await three(invite, lender)
    dee = await invite("dee")
    await dee.generate()
    lender.expire(dee.token)
    dee.renew()
    await dee.look()
    ann.let_go()
    await lent(lender, dee)

    assert dee.asked() == [dee.token]
    await done(ann, ben, cem, dee)


async def test_a_token_that_aged_at_the_lender_is_tried_again_with_the_next_one(
    invite: Invite, lender: Lender
) -> None:
    ann = await invite("ann")
    aged = ann.renew()
    lender.expire(aged)
    await ann.generate(renewed=False)

    async def refused() -> bool:
        return bool(ann.asked())

    await eventually(refused, 60)
    ann.renew()
    await ann.look()
    await lent(lender, ann)

    assert ann.asked() == [aged, ann.token]
    await done(ann)


async def test_who_closed_the_page_is_told_so_and_nothing_is_borrowed(
    invite: Invite, lender: Lender, folder: Path
) -> None:
    ann, ben, cem = await three(invite, lender)
    dee, watch = await invite("dee"), await invite("watch")
    await dee.generate()
    (folder / "ahead").write_text("1000")
    ann.let_go()

    async def over() -> bool:  # without asking in her name
        ahead = float((folder / "ahead").read_text())
        (folder / "ahead.part").write_text(str(ahead + 1))
        (folder / "ahead.part").replace(folder / "ahead")
        return (await watch.look())["line"].startswith("2 running · 0 waiting")

    await eventually(over, 60)
    await ben.look()
    told = (await dee.look())["job"]

    assert told["error"]["code"] == "gpu_page_closed"
    assert "Again" in told["error"]["text"]
    assert "again" in [button["action"] for button in told["buttons"]]
    assert told["charged"].startswith("0")
    assert dee.asked() == []
    await done(ann, ben, cem)


async def test_one_with_many_jobs_leaves_gpus_to_the_others(invite: Invite, lender: Lender) -> None:
    heavy, ann, ben = [await invite(name) for name in ("heavy", "ann", "ben")]
    for _ in range(3):
        await heavy.generate()
    await ann.generate()
    await ben.generate()

    async def both() -> bool:
        return await ann.is_("running") and await ben.is_("running")

    await eventually(both, 60)
    await lent(lender, ann, ben)

    open_now = [one for one in lender.leases if one.ended is None]
    assert len([one for one in open_now if one.visitor.startswith(heavy.name)]) == 1
    await done(ann, ben, heavy)
