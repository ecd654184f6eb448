"""Parts of files: what can be one, and where it lies in a picture."""

import math
from typing import Any

import pytest

from core.domain.media_cut import LATEST_S, MediaCut, read_cut
from core.errors import NotANumber, OutOfRange
from core.i18n.messages import explain


def test_all_of_a_file_is_no_cut() -> None:
    assert read_cut({}) is None
    assert read_cut({"start_s": 0, "end_s": None, "width": 1}) is None
    assert read_cut({"end_s": 3}) == MediaCut(end_s=3.0)


@pytest.mark.parametrize(
    "given",
    [
        {"start_s": -1},
        {"start_s": 3, "end_s": 3},
        {"end_s": LATEST_S + 1},
        {"left": 0.5, "width": 0.6},
        {"top": 1.0},
        {"height": 0.0},
    ],
)
def test_what_is_no_part_is_refused_with_its_limits(given: dict[str, Any]) -> None:
    with pytest.raises(OutOfRange) as refused:
        read_cut(given)
    assert "cut_" not in explain(refused.value)


@pytest.mark.parametrize("value", ["1", True, math.nan, math.inf, [1]])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(NotANumber):
        read_cut({"start_s": value})


def test_a_box_lies_inside_and_has_even_sides_where_films_need_them() -> None:
    cut = MediaCut(left=0.5, top=0.25, width=0.5, height=0.5)
    assert cut.box(100, 80) == (50, 20, 100, 60)
    assert cut.box(101, 81, 2) == (50, 20, 100, 60)
    assert MediaCut(left=0.98, width=0.02).box(10, 10, 2) == (6, 0, 10, 10)
