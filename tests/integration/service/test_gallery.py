"""Looking through one's own finished jobs, and stars: on both dialects."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from core.app.core import Core
from core.domain.gallery import GalleryFilter, Shape
from core.domain.jobs import Ticket
from core.domain.modes import Mode
from core.domain.people import Requester
from core.domain.presets import Preset
from core.errors import NotYours
from core.storage.gallery import MOST_ROWS
from core.testing.doubles import t2v
from tests.support.jobs import caller

Submit = Callable[..., Awaitable[Ticket]]
PROMPTS = (
    "A boat, 100% calm",
    "Корабль на море",
    "a snake_case sign",
    "桜の下の猫",
    "another boat",
)


@pytest.fixture
async def over(core: Core, submit: Submit, ann: Requester) -> dict[str, str]:
    """Jobs of ann that are over, by their prompts."""
    found: dict[str, str] = {}
    for number, prompt in enumerate(PROMPTS):
        request = t2v(prompt)
        if number == 0:
            tall = replace(request.sampling, width=256, height=512, preset=Preset.QUALITY)
            request = replace(request, sampling=tall)
        ticket = await submit(f"key {number}", ann, request)
        await core.cancellation.cancel(ticket.job_id, ann)
        found[prompt] = ticket.job_id
    return found


async def prompts(core: Core, who: Requester, wanted: GalleryFilter) -> list[str]:
    page = await core.users.gallery.page(caller(who), wanted, 10)
    assert page.before is None
    return [job.request.prompt for job in page.jobs]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (GalleryFilter(), tuple(reversed(PROMPTS))),
        (GalleryFilter(words="BOAT"), ("another boat", "A boat, 100% calm")),
        (GalleryFilter(words="%"), ("A boat, 100% calm",)),
        (GalleryFilter(words="_"), ("a snake_case sign",)),
        (GalleryFilter(words="море"), ("Корабль на море",)),
        (GalleryFilter(words="МОРЕ"), ("Корабль на море",)),
        (GalleryFilter(words="猫"), ("桜の下の猫",)),
        (GalleryFilter(mode=Mode.I2V), ()),
        (GalleryFilter(mode=Mode.T2V, words="calm"), ("A boat, 100% calm",)),
        (GalleryFilter(shape=Shape.TALL), ("A boat, 100% calm",)),
        (GalleryFilter(preset=Preset.QUALITY), ("A boat, 100% calm",)),
        (GalleryFilter(clips=True), ()),
        (GalleryFilter(starred=True), ()),
    ],
)
async def test_only_what_is_wanted_is_found(
    core: Core,
    ann: Requester,
    over: dict[str, str],
    wanted: GalleryFilter,
    found: tuple[str, ...],
) -> None:
    assert tuple(await prompts(core, ann, wanted)) == found


async def test_pages_go_on_where_they_were_while_jobs_come_and_go(
    core: Core, submit: Submit, ann: Requester, over: dict[str, str]
) -> None:
    gallery, who = core.users.gallery, caller(ann)
    first = await gallery.page(who, GalleryFilter(), 2)
    newer = await submit("newer", ann)
    await core.cancellation.cancel(newer.job_id, ann)
    await core.users.delete(who, first.jobs[0].id)

    second = await gallery.page(who, GalleryFilter(), 2, first.before)
    third = await gallery.page(who, GalleryFilter(), 2, second.before)

    seen = [job.request.prompt for page in (first, second, third) for job in page.jobs]
    assert seen == list(reversed(PROMPTS))
    assert third.before is None


async def test_a_search_ends_after_so_many_rows_and_can_go_on(
    core: Core, ann: Requester, over: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_ROWS >= 200
    monkeypatch.setattr("core.storage.gallery.BATCH", 2)
    monkeypatch.setattr("core.storage.gallery.MOST_ROWS", 2)
    before, found, pages = None, [], 0
    while pages < 10:
        wanted = GalleryFilter(words="100%")
        page = await core.users.gallery.page(caller(ann), wanted, 5, before)
        found += page.jobs
        pages += 1
        if page.before is None:
            break
        before = page.before

    assert [job.request.prompt for job in found] == ["A boat, 100% calm"]
    assert pages == 3


async def test_stars_stay_until_taken_away_and_go_with_their_jobs(
    core: Core, ann: Requester, over: dict[str, str]
) -> None:
    gallery, who = core.users.gallery, caller(ann)
    boat, sign = over[PROMPTS[0]], over[PROMPTS[2]]
    assert await gallery.star(who, (boat, sign, boat), on=True) == {boat, sign}
    assert await gallery.star(who, (boat,), on=True) == {boat}
    assert await prompts(core, ann, GalleryFilter(starred=True)) == [PROMPTS[2], PROMPTS[0]]

    for _ in range(2):
        assert await gallery.star(who, (sign,), on=False) == {sign}
    assert await prompts(core, ann, GalleryFilter(starred=True)) == [PROMPTS[0]]

    await core.users.forget(who)
    assert await _stars(core) == 0


async def test_a_stranger_neither_sees_nor_stars_anything(
    core: Core, ann: Requester, ben: Requester, over: dict[str, str]
) -> None:
    assert await prompts(core, ben, GalleryFilter()) == []
    assert await core.users.gallery.star(caller(ben), over.values(), on=True) == frozenset()
    for job in over.values():
        with pytest.raises(NotYours):
            await core.users.gallery.own(caller(ben), job)
    assert await core.users.gallery.star(caller(ann), ("0" * 32, ""), on=True) == set()
    assert await _stars(core) == 0


async def test_any_number_of_stars_is_one_turn_of_the_database(
    core: Core, ann: Requester, over: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, this = 0, asyncio.current_task()
    begin = core.database.transaction

    def counted(*args: Any, **more: Any) -> Any:
        nonlocal turns
        turns += asyncio.current_task() is this  # a node of a server shows meanwhile that it lives
        return begin(*args, **more)

    monkeypatch.setattr(core.database, "transaction", counted)
    strange = [f"{n:032x}" for n in range(2000)]

    done = await core.users.gallery.star(caller(ann), [*over.values(), *strange], on=True)

    assert done == {*over.values()}
    assert (turns, await _stars(core)) == (1, len(over))


async def _stars(core: Core) -> int:
    async with core.database.snapshot() as connection:
        return len((await connection.exec_driver_sql("SELECT job_id FROM star")).all())
