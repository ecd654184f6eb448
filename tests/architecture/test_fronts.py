"""What a front may hold: the services that it is given, never a part of core behind them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# the program of a Space, its executor, and what tests start are not fronts
NOT_FRONTS = ("webui/space/", "webui/zerogpu/", "webui/testing/")
ROOMS = ("service", "domain", "errors", "i18n", "interfaces", "settings", "runtime")
PARTS = frozenset({"core", "_core", "database", "router", "outbox", "hub", "runs", "desk"})


def fronts() -> Iterator[Path]:
    for folder in ("bots", "webui"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(NOT_FRONTS):
                yield path


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
        elif isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name


@pytest.mark.parametrize("path", list(fronts()), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_front_reaches_core_through_its_services_only(path: Path) -> None:
    tree = ast.parse(path.read_text())
    wrong = [
        f"line {line}: imports {module}"
        for line, module in imported(tree)
        if module.startswith("core.") and module.split(".")[1] not in ROOMS
    ]
    wrong += [
        f"line {node.lineno}: reaches for .{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in PARTS
    ]
    wrong += [
        f"line {node.lineno}: holds the core"
        for node in ast.walk(tree)
        if isinstance(node, ast.arg) and node.arg in {"core", "_core"}
    ]
    assert wrong == []
