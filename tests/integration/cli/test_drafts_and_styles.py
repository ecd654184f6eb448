"""Four drafts and named styles from the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Clapper = Callable[..., Result]
NOIR = '[style.noir]\nbefore = "film noir"\n'


def test_four_drafts_are_four_files_with_a_seed_each(clapper: Clapper, small) -> None:
    result = clapper("generate", "t2v", "--prompt", "a kite", *small, "--drafts", 4, "-o", "k.mp4")

    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in Path().glob("*.mp4")) == [f"k-{n}.mp4" for n in range(1, 5)]
    assert len({path.read_bytes() for path in Path().glob("k-*.png")}) == 4


@pytest.mark.parametrize("theirs", ["k-3.mp4", "k-4.png"])
def test_a_file_of_theirs_where_a_draft_goes_is_told_before_any_work(
    clapper: Clapper, small, theirs: str
) -> None:
    Path(theirs).write_text("mine")
    asked = ("generate", "t2v", "--prompt", "a kite", *small, "--drafts", 4, "-o", "k.mp4")

    refused = clapper(*asked)

    assert refused.exit_code != 0
    assert theirs in refused.output
    assert [path.name for path in Path().glob("k*")] == [theirs]
    assert Path(theirs).read_text() == "mine"
    assert clapper(*asked, "--force").exit_code == 0
    assert len([*Path().glob("k-*.mp4")]) == 4


def test_the_plain_name_may_be_taken_where_drafts_have_numbers(clapper: Clapper, small) -> None:
    Path("k.mp4").write_text("mine")

    result = clapper("generate", "t2v", "--prompt", "a kite", *small, "--drafts", 4, "-o", "k.mp4")

    assert result.exit_code == 0, result.output
    assert Path("k.mp4").read_text() == "mine"


@pytest.mark.parametrize("number", ["3", "many", "-1", "²"])
def test_another_number_of_drafts_is_refused(clapper: Clapper, small, number: str) -> None:
    result = clapper(
        "generate", "t2v", "--prompt", "x", *small, f"--drafts={number}", "-o", "k.mp4"
    )

    assert result.exit_code != 0
    assert "1, 4" in result.output


def test_styles_are_kept_listed_written_and_used(clapper: Clapper, small) -> None:
    Path("a.toml").write_text(NOIR)
    assert "no styles" in clapper("styles", "list").output
    kept = clapper("styles", "import", "a.toml")
    listed = clapper("styles", "list")
    written = clapper("styles", "export")
    to_file = clapper("styles", "export", "b.toml")
    made = clapper("generate", "t2v", "--prompt", "x", *small, "--style", "NOIR", "-o", "k.mp4")

    assert (kept.exit_code, to_file.exit_code) == (0, 0)
    assert listed.output.strip() == "noir"
    assert 'before = "film noir"' in written.output
    assert Path("b.toml").read_text() == written.output
    assert made.exit_code == 0, made.output
    assert "no styles" in clapper("styles", "list", "--place", "discord:1").output


def test_an_unknown_style_is_refused_with_those_there_are(clapper: Clapper, small) -> None:
    Path("a.toml").write_text(NOIR)
    clapper("styles", "import", "a.toml")

    result = clapper("generate", "t2v", "--prompt", "x", *small, "--style", "nor", "-o", "k.mp4")

    assert result.exit_code != 0
    assert "noir" in result.output
    assert not [*Path().glob("k*")]


@pytest.mark.parametrize(
    ("content", "told"), [(b"\xff\xfe", "UTF-8"), (b"[style.x]\nfps = 900", "style.x"), (b"[", "")]
)
def test_a_file_that_is_none_of_styles_changes_nothing(
    clapper: Clapper, content: bytes, told: str
) -> None:
    Path("a.toml").write_bytes(content)

    refused = clapper("styles", "import", "a.toml")

    assert refused.exit_code != 0
    assert told in refused.output
    assert "no styles" in clapper("styles", "list").output
