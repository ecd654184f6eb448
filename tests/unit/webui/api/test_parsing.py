"""What programs and agents give for every option is what a person would have typed."""

from collections.abc import Generator

import pytest

import webui.api.parsing  # before rows are added  # noqa: F401
from core.domain.limits import RequestLimits
from core.domain.options import OPTIONS, Option, OptionKind, Options
from tests.support.options import NEW_ROWS, added_rows, sample
from webui.api.parsing import options_from_program

LIMITS = RequestLimits()


@pytest.fixture(autouse=True)
def with_new_rows() -> Generator[None]:
    with added_rows():
        yield


@pytest.mark.parametrize("option", [*OPTIONS.values(), *NEW_ROWS], ids=lambda option: option.name)
def test_a_value_of_a_program_is_read_by_the_kind_of_its_row(option: Option) -> None:
    value = sample(option, LIMITS)
    given = str(value) if option.kind is OptionKind.SEED else value

    read = options_from_program({option.name: given}, LIMITS)

    assert read == Options.of({option.name: value})
    assert read != Options()
    for nothing in ({}, {option.name: None}):
        assert options_from_program(nothing, LIMITS) == Options()
