"""Who may become a local operator: the control server by the kernel's word, and the idle core."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for name in ("core", "bots", "webui") for path in (ROOT / name).rglob("*.py"))
MAKERS = {
    "LocalOperator": ["core/control/peer.py"],
    "admit_peer": ["core/control/server.py"],
    "this_process": ["core/cli/steering.py"],
}


@pytest.mark.parametrize("name", MAKERS)
def test_local_operators_are_made_in_one_place(name: str) -> None:
    callers = {
        path.relative_to(ROOT).as_posix()
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name
    }

    assert sorted(callers) == MAKERS[name]
