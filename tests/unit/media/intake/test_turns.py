"""Nobody's films hold everybody's decoding."""

import asyncio

import pytest

from core.domain.media import MediaKind
from core.media.intake.turns import DecodingTurns

FILM, SOUND, PICTURE = MediaKind.VIDEO, MediaKind.AUDIO, MediaKind.IMAGE


class Decoding:
    """People who decode one file each, until they are told to end."""

    def __init__(self) -> None:
        self.turns = DecodingTurns()
        self.running: list[str] = []
        self.order: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, name: str, owner: str, kind: MediaKind) -> None:
        self.ends[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._decode(name, owner, kind))
        await settle()

    async def end(self, name: str) -> None:
        self.ends[name].set()
        await self.tasks[name]
        await settle()

    async def _decode(self, name: str, owner: str, kind: MediaKind) -> None:
        async with self.turns.turn(owner, kind):
            self.running.append(name)
            self.order.append(name)
            try:
                await self.ends[name].wait()
            finally:
                self.running.remove(name)


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def decoding() -> Decoding:
    return Decoding()


async def test_many_films_of_one_requester_leave_room_for_others(
    decoding: Decoding,
) -> None:
    for number in range(10):
        await decoding.ask(f"a{number}", "ann", FILM)

    await decoding.ask("b", "ben", FILM)
    await decoding.ask("c", "cat", PICTURE)

    assert decoding.running == ["a0", "b", "c"]


async def test_a_picture_never_waits_for_films(decoding: Decoding) -> None:
    for number, owner in enumerate(("ann", "ben", "cat", "dan")):
        await decoding.ask(f"film{number}", owner, (FILM, SOUND)[number % 2])

    await decoding.ask("picture", "ann", PICTURE)

    assert decoding.running == ["film0", "film1", "picture"]


async def test_who_had_a_turn_the_longest_ago_is_next(decoding: Decoding) -> None:
    await decoding.ask("a0", "ann", FILM)
    await decoding.ask("b0", "ben", FILM)
    for number in (1, 2, 3):
        await decoding.ask(f"a{number}", "ann", FILM)
    await decoding.ask("c0", "cat", FILM)

    await decoding.end("b0")
    await decoding.end("a0")
    await decoding.end("c0")

    assert decoding.order == ["a0", "b0", "c0", "a1"]


async def test_a_cancelled_turn_is_given_to_the_next(decoding: Decoding) -> None:
    for name, owner in (("a", "ann"), ("b", "ben"), ("c", "cat"), ("d", "dan")):
        await decoding.ask(name, owner, FILM)

    for name in ("c", "a"):  # one that waits, one that runs
        decoding.tasks[name].cancel()
        await settle()

    assert decoding.running == ["b", "d"]


async def test_a_turn_cancelled_at_the_moment_it_is_given_is_not_lost(decoding: Decoding) -> None:
    await decoding.ask("a", "ann", FILM)
    await decoding.ask("b", "ben", FILM)
    await decoding.ask("c", "cat", FILM)
    decoding.ends["a"].set()
    decoding.ends["b"].set()
    await asyncio.sleep(0)
    decoding.tasks["c"].cancel()
    await settle()

    await decoding.ask("d", "dan", FILM)
    await decoding.ask("e", "eve", FILM)

    assert decoding.running == ["d", "e"]
