"""Four drafts come as an album, with a message from which one is finished."""

import re

import pytest

ANN = 501
PRICED = re.compile(r"(.+) · (under 1 s|[0-9]+ s)")  # an estimate, which learns


@pytest.fixture
async def drafts(town):
    asked = town.say("/t2v a red kite --drafts 4 --size 256x256 --seconds 1 --fps 8 --seed 5")
    placeholder = await town.answer(asked)
    await town.world.until(lambda: "quality" in str(placeholder.payload.get("reply_markup")))
    return placeholder


async def test_four_drafts_are_an_album_and_a_button_to_finish_each(town, drafts) -> None:
    videos = town.world.with_video(ANN)

    assert [m.text for m in videos] == ["1", "2", "3", "4"]
    assert all(f"{number}. seed {4 + number}" in drafts.text for number in range(1, 5))
    jobs = [await town.job(message) for message in videos]
    for number, job in enumerate(jobs, 1):
        assert PRICED.fullmatch(drafts.label(f"quality:{job.id}"))[1] == f"Finish {number}"
    assert PRICED.fullmatch(drafts.label("again"))[1] == "Again"
    town.tap(drafts, f"quality:{jobs[2].id}")
    await town.world.until(lambda: len(town.world.with_video(ANN)) == 5)
    made = await town.job(town.world.with_video(ANN)[-1])
    assert made.request.sampling.seed == 7
    assert made.request.sampling.preset == "balanced"


async def test_delete_takes_the_album_too(town, drafts) -> None:
    town.tap(drafts, "delete")

    await town.world.until(lambda: not town.world.with_video(ANN), 10)
