"""Files of styles as strangers write them: read at once, or refused with a sentence."""

import time

import pytest

from core.domain.limits import RequestLimits
from core.domain.style_file import MOST_BYTES, read_toml, write_toml
from core.errors import StyleRefused, StylesUnreadable

LIMITS = RequestLimits()


@pytest.mark.parametrize(
    "text",
    [
        "a." * 20_000 + "a=1",
        '"a".' * 13_000 + "a=1",
        "[" + "a." * 20_000 + "a]",
        "a=" + "[" * 30_000,
        "[style.x]\nseconds=" + "9" * 5_000,
        '[style.x]\nbefore="\\ud800"',
        "[style]\nx='y'",
        "[other]\na=1",
    ],
    ids=[
        "names",
        "quoted names",
        "tables",
        "arrays",
        "digits",
        "half a letter",
        "no table",
        "other",
    ],
)
def test_a_hostile_file_is_refused_at_once(text: str) -> None:
    begun = time.process_time()
    with pytest.raises(StylesUnreadable):
        read_toml(text[:MOST_BYTES], LIMITS)
    assert time.process_time() - begun < 2  # 14 s before; 0.02 s on a quiet core


@pytest.mark.parametrize(
    "text",
    [
        "[style.noir]\nbefore='a'\n[style.NOIR]\nbefore='b'",
        "[style.noir]\nbefore='a'\n[style.\"ｎｏｉｒ\"]\nbefore='b'",
        '[style."<b>"]\nbefore="a"',
        '[style."@everyone"]\nbefore="a"',
        '[style."\u202ex"]\nbefore="a"',
        "[style.x]\nseconds=nan",
        "[style.x]\nseconds=2026-11-28",
        "[style.x]\nseed=5",
        "[defaults]\ndrafts='4'",
        '[channel."-100"]\nseconds=5',
    ],
)
def test_what_is_not_possible_is_named(text: str) -> None:
    with pytest.raises(StyleRefused):
        read_toml(text, LIMITS)


def test_what_is_written_is_read_back() -> None:
    text = '[style."Ann & Ben"]\nbefore = "a \\"b\\" \\\\ \\n é 🐈"\npreset = "quality"\n'
    found = read_toml(text, LIMITS)
    assert read_toml(write_toml(found), LIMITS) == found
