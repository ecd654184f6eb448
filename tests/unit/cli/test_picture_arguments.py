"""``--image`` again and again: roles in the order typed, and the second of each."""

from pathlib import Path

import pytest

from core.cli.picture_arguments import placed_pictures
from core.domain.modes import Mode
from core.errors import TimesUncounted, TooManyFiles


def test_one_picture_is_that_of_the_mode() -> None:
    assert placed_pictures(Mode.I2V, ["a.png"]).paths == {"image": Path("a.png")}
    assert placed_pictures(Mode.STYLE, ["a.png"]).paths == {"image": Path("a.png")}
    assert placed_pictures(Mode.T2V, []).paths == {}
    assert placed_pictures(Mode.T2V, ["a.png"]).paths == {"image": Path("a.png")}  # refused later


def test_several_pictures_are_reached_in_their_order_and_time() -> None:
    placed = placed_pictures(Mode.KEYFRAME, ["a.png@0", "b.png@1.5", "c.png@2,25s"])

    assert placed.paths == {"first": Path("a.png"), "second": Path("b.png"), "last": Path("c.png")}
    assert placed.times == "0, 1.5, 2.25"


def test_a_name_with_an_at_sign_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("me@2").touch()

    placed = placed_pictures(Mode.KEYFRAME, ["me@2", "you@home.png"])

    assert placed.paths == {"first": Path("me@2"), "last": Path("you@home.png")}
    assert placed.times == ""


def test_times_for_some_pictures_and_too_many_pictures_are_refused() -> None:
    with pytest.raises(TimesUncounted):
        placed_pictures(Mode.KEYFRAME, ["a.png@0", "b.png"])
    with pytest.raises(TooManyFiles) as caught:
        placed_pictures(Mode.KEYFRAME, ["a.png"] * 9)
    with pytest.raises(TooManyFiles):
        placed_pictures(Mode.I2V, ["a.png", "b.png"])

    assert (caught.value.given, caught.value.limit) == (9, 8)
