"""Only core.storage builds SQL statements, and no row leaves it."""

import ast
import importlib
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STORAGE = ROOT / "core" / "storage"
OUTSIDE = sorted(
    path
    for name in ("core", "bots", "webui")
    for path in (ROOT / name).rglob("*.py")
    if STORAGE not in path.parents
)
DRIVERS = {"sqlalchemy", "sqlite3", "aiosqlite", "alembic", "psycopg"}
DOTTED = re.compile(r"\w+(\.\w+)*")
LOGGER = {("core/app/logs.py", "aiosqlite")}  # kept quiet by its name: it would repeat statements
INSIDE = {"core.storage.tables", "core.storage.mapping"}  # what statements and rows are made of
STATEMENTS = {"execute", "exec_driver_sql", "scalar", "scalars", "stream", "stream_scalars"}
HANDED_OUT = {"Connection"}  # to pass on to functions of core.storage, never to ask itself


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def of_a_driver(name: str) -> bool:
    return name.partition(".")[0] in DRIVERS


def imported(tree: ast.AST) -> list[tuple[str, str]]:
    """Modules and the names that are taken from them; under TYPE_CHECKING and in functions too."""
    found: list[tuple[str, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.module or "", alias.name) for alias in node.names]
    return found


def on_a_connection(node: ast.AST) -> bool:
    """Whether ``node`` is a statement sent through something that is called a connection."""
    if not isinstance(node, ast.Attribute) or node.attr not in STATEMENTS:
        return False
    return "connection" in ast.unparse(node.value).lower()


def test_nothing_outside_storage_knows_a_driver_of_the_database() -> None:
    found: set[tuple[str, str]] = set()
    for path in OUTSIDE:
        tree = ast.parse(path.read_text("utf-8"))
        found |= {(relative(path), module) for module, _ in imported(tree) if of_a_driver(module)}
        for node in ast.walk(tree):  # a name for importlib, or a quoted annotation
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and DOTTED.fullmatch(text) and of_a_driver(text):
                found.add((relative(path), text))

    assert found == LOGGER


def test_nothing_outside_storage_sends_a_statement() -> None:
    for path in OUTSIDE:
        tree = ast.parse(path.read_text("utf-8"))
        sent = [ast.unparse(node) for node in ast.walk(tree) if on_a_connection(node)]
        inside = [pair for pair in imported(tree) if INSIDE & {pair[0], ".".join(pair)}]

        assert sent == inside == [], relative(path)


def test_storage_hands_out_no_name_of_a_driver() -> None:
    for path in OUTSIDE:
        for module, name in imported(ast.parse(path.read_text("utf-8"))):
            if module.startswith("core.storage.") and name not in HANDED_OUT:
                thing = getattr(importlib.import_module(module), name)
                origin = getattr(thing, "__module__", None) or ""
                assert not of_a_driver(origin), f"{relative(path)}: {name}"


def test_functions_that_others_call_give_no_rows() -> None:
    used = {name for path in OUTSIDE for _, name in imported(ast.parse(path.read_text("utf-8")))}
    for path in STORAGE.glob("*.py"):
        if f"core.storage.{path.stem}" in INSIDE:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if node.name.startswith("_") and node.name not in used:
                continue
            hints = [node.returns, *(argument.annotation for argument in node.args.args)]
            names = {
                getattr(part, "id", getattr(part, "attr", ""))
                for hint in hints
                if hint is not None
                for part in ast.walk(hint)
            }
            assert not names & {"Row", "RowMapping", "Result"}, f"{relative(path)}: {node.name}"
