"""What the documentation says is there."""

import re
from pathlib import Path

import pytest

from core.settings import Settings, settings_in_force, variables

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if path.name != "CHANGELOG.md"
)


def test_every_setting_is_documented_for_the_operator() -> None:
    text = (ROOT / "docs" / "operator.md").read_text("utf-8")
    named = set(re.findall(r"`([A-Z][A-Z_0-9]+)`", text))

    settings = {name.upper() for name in variables(Settings)}

    assert settings - named == {"SPACE_ID", "SPACE_HOST"}
    assert named - settings <= {"KEY", "PLACE", "CLAPPER_", "CLAPPER_ENV_FILE"}


WORDS = sorted((ROOT / "core" / "i18n" / "words").rglob("*.toml"))


@pytest.mark.parametrize(
    "page", [*PAGES, *WORDS], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_modules_that_people_are_told_to_run_exist(page: Path) -> None:
    for module in re.findall(r"python -m ((?:core|bots|webui)[\w.]*)", page.read_text("utf-8")):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_paths_on_a_page_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target
    for path in re.findall(
        r"`((?:core|bots|webui|docs|bench|tests|workflows|migrations)/[\w./]+)`", text
    ):
        made_later = path.startswith("workflows/custom") or "NNNN" in path
        assert (ROOT / path.rstrip("/")).exists() or made_later, path


def test_every_page_is_in_the_index_of_the_documentation() -> None:
    index = ROOT / "docs" / "README.md"
    linked = set(re.findall(r"\]\(([^)#]+)\)", index.read_text("utf-8")))

    assert {path.name for path in index.parent.glob("*.md")} - {index.name} <= linked
    assert "(docs/README.md)" in (ROOT / "README.md").read_text("utf-8")


def _anchors(page: Path) -> set[str]:
    """Return what can be linked to on ``page``: its headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_into_a_page_meet_a_heading(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(((?!http)[^)#]*)#([^)]+)\)", page.read_text("utf-8")):
        goal = page.parent / target if target else page
        assert goal.is_file(), target
        assert anchor in _anchors(goal), f"{target}#{anchor}"


COUNTED = re.compile(
    r"\b(four|five|six|seven|eight|nine|ten|vier|fünf|sechs|sieben|acht|neun|zehn|\d+)"
    r"( \w+)? (modes|kinds of video|graphs|workflows|scenes|demo jobs|clips of `make demo`|Modi"
    r"|Arten von Videos)\b",
    re.IGNORECASE,
)
SOURCES = sorted(
    path
    for folder in ("core", "bots", "webui", "workflows", "tests", "docs")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".md", ".toml", ".html", ".js"}
)


def test_no_sentence_counts_the_modes() -> None:
    """A mode more makes each of them untrue; format the number from the table, or leave it out."""
    files = [*SOURCES, *ROOT.glob("*.md"), ROOT / "Makefile"]
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files
        for match in COUNTED.finditer(path.read_text("utf-8"))
    ]

    assert found == []


def stated_defaults() -> dict[str, str]:
    """Return what the operator's table gives as defaults, where it is a number or true or false."""
    text = (ROOT / "docs" / "operator.md").read_text("utf-8")
    found: dict[str, str] = {}
    for cells in re.findall(r"^\| (`[A-Z][^|]*) \| ([^|]*) \|", text, re.M):
        names, defaults = (cell.replace("`", "").split(", ") for cell in cells)
        if len(names) == len(defaults):
            found |= dict(zip(names, defaults, strict=True))
    return {k: v for k, v in found.items() if re.fullmatch(r"-?\d+(\.\d+)?|true|false", v)}


def test_defaults_in_the_guide_are_those_of_the_program() -> None:
    held = {one.name.removeprefix("CLAPPER_"): one.value for one in settings_in_force(Settings())}
    stated = stated_defaults()

    assert len(stated) > 60
    assert {name: value for name, value in stated.items() if same(value) != same(held[name])} == {}


def same(value: str) -> str | float:
    return value if value in {"true", "false"} else float(value)
