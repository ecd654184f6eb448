"""The house rules that no linter knows."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("core", "bots", "webui")
MODULES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
MAX_LINES = 300
MAX_FUNCTION_LINES = 40
# class names that two modules still share; each is to become two names
# names that ComfyUI's root exports as importable modules; ours would shadow them, or they ours
COMFY_NAMES = {"main", "app", "utils", "server", "nodes", "execution", "protocol", "middleware"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tracked_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def own_nodes(function: ast.AST) -> list[ast.AST]:
    """All nodes of a function but those of functions nested in it."""
    found: list[ast.AST] = []
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            found += [child, *own_nodes(child)]
    return found


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    lines = {function.name: length_of(function) for function in functions(tree)}

    assert len(text.splitlines()) <= MAX_LINES, split_advice(path, lines)
    assert {name: count for name, count in lines.items() if count > MAX_FUNCTION_LINES} == {}


def length_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    docstring = ast.get_docstring(function, clean=False) or ""
    return (function.end_lineno or 0) - function.lineno + 1 - len(docstring.splitlines())


def split_advice(path: Path, lines: dict[str, int]) -> str:
    """Say what a module that is too long seems to hold, so that an idea is moved, not lines."""
    longest = sorted(lines, key=lambda name: -lines[name])[:4]
    name = relative(path).removesuffix(".py").replace("/", ".")
    users = [relative(other) for other in MODULES if name in other.read_text("utf-8")]
    return (
        f"{relative(path)} holds more than one idea. Longest: "
        + ", ".join(f"{function} ({lines[function]} lines)" for function in longest)
        + f". Imported by {len(users)}: {', '.join(users[:6])}. Move one idea into a module."
    )


def test_no_class_name_stands_twice_in_the_product() -> None:
    places: dict[str, set[str]] = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, set()).add(f"{relative(path)}:{node.lineno}")
    doubled = {name: where for name, where in places.items() if len(where) > 1}

    assert doubled == {}


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_async_functions_await_and_never_block(path: Path) -> None:
    blocking = {"time.sleep", "subprocess.run", "subprocess.check_output", "requests.get"}
    for function in functions(ast.parse(path.read_text("utf-8"))):
        if not isinstance(function, ast.AsyncFunctionDef):
            continue
        nodes = own_nodes(function)
        for call in (node for node in nodes if isinstance(node, ast.Call)):
            assert ast.unparse(call.func) not in blocking, function.name


def test_one_broad_except_in_the_whole_repository() -> None:
    found = [
        relative(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and isinstance(node.type, ast.Name)
        and node.type.id == "Exception"
    ]

    assert found == ["core/worker/worker.py"]


def test_every_ignore_has_its_reason_beside_it() -> None:
    bare = re.compile(r"#\s*(?:noqa|type:\s*ignore|pyright:\s*ignore)[^#\n]*$")
    offenders = [
        f"{relative(path)}:{number}"
        for path in MODULES
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if bare.search(line) and "  # " not in line[bare.search(line).start() + 1 :]
    ]

    assert offenders == []


def test_packages_say_what_belongs_in_them() -> None:
    for init in (path for path in MODULES if path.name == "__init__.py"):
        docstring = ast.get_docstring(ast.parse(init.read_text("utf-8"))) or ""
        assert len(docstring) > 30, relative(init)


def test_no_root_module_collides_with_comfyui() -> None:
    root_names = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or path.is_dir()}

    assert not root_names & COMFY_NAMES
    assert not (ROOT / "tests" / "__init__.py").exists()


def test_importing_core_loads_no_front_library_and_no_torch() -> None:
    foreign = ("torch", "discord", "telegram", "gradio", "spaces")
    code = (
        "import core.app.bootstrap, core.cli, sys;"
        f"print([name for name in {foreign} if name in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert out.stdout.strip() == "[]"


def test_git_holds_no_weights_secrets_or_large_media() -> None:
    for path in tracked_files():
        assert path.suffix not in {".safetensors", ".pt", ".ckpt", ".gguf", ".bin"}, path
        assert path.stat().st_size <= 1_000_000, path


def test_constraints_pin_every_dependency_without_an_address() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()

    for line in (line.split("#")[0].strip() for line in lines):
        assert not line or re.fullmatch(r"[A-Za-z0-9_.\-\[\]]+==[\w.+!]+(?:\s*;.+)?", line), line


PINNED = re.compile(r"^([A-Za-z0-9_.\-]+)==([\w.+!]+)", re.MULTILINE)


def pins(path: str) -> dict[str, str]:
    found = PINNED.findall((ROOT / path).read_text("utf-8"))
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        ("requirements.lock", ("cluster", "mcp")),
        ("requirements-dev.lock", ("dev", "cluster", "mcp", "c2pa")),
    ],
)
def test_a_lock_has_the_pins_and_a_hash_of_every_file(lock: str, extras: tuple[str, ...]) -> None:
    locked, held = pins(lock), pins("constraints.txt")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    optional = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(one for extra in extras for one in optional[extra])]

    names = {re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", line)[0]).lower() for line in wanted}
    assert (names | {"hatchling"}) - {"clapper-bot"} <= locked.keys()
    # what only other systems need is not installed here, so no constraint names it
    assert {name: held[name] for name in locked.keys() & held.keys()} == {
        name: locked[name] for name in locked.keys() & held.keys()
    }, "make lock"
    entries = (ROOT / lock).read_text("utf-8").split("\n")[1:]
    for entry in re.split(r"\n(?! )", "\n".join(entries).strip()):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}$", entry), entry.split("\n")[0]


def test_what_tests_need_is_what_people_get_and_more() -> None:
    people, tests = pins("requirements.lock"), pins("requirements-dev.lock")

    assert people.items() <= tests.items(), "make lock"


PROGRAMS = [
    path
    for path in tracked_files()
    if path.suffix == ".py"
    and path.relative_to(ROOT).parts[0] == "tests"
    and "__main__" in path.read_text("utf-8")
    and not path.name.startswith("test_")
]


@pytest.mark.parametrize("path", PROGRAMS, ids=relative)
def test_a_program_that_tests_start_needs_only_what_is_installed(path: Path) -> None:
    """Its folder is what Python looks into first, so the folder of the tests is not found."""
    assert not re.search(r"^\s*(from|import) tests\b", path.read_text("utf-8"), re.MULTILINE)


TERMINAL = "core/cli/terminal.py"  # the one home of consoles; see its docstring
OF_TERMINAL = {"Console", "print", "typer.echo", "typer.secho"}
TAG = re.compile(r"\[/?[a-z]+\]")


@pytest.mark.parametrize(
    "path", [path for path in MODULES if relative(path).startswith("core/")], ids=relative
)
def test_what_data_says_reaches_a_terminal_literally(path: Path) -> None:
    if relative(path) == TERMINAL:
        return
    tree = ast.parse(path.read_text("utf-8"))
    found = [
        f"{node.lineno}: {node.module}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in {"rich", "rich.markup"}
    ]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found += [f"{call.lineno}: {ast.unparse(call.func)}" for call in calls if takes_markup(call)]

    assert found == []


def takes_markup(call: ast.Call) -> bool:
    """Whether ``call`` prints past our console, or lets rich read markup from a text."""
    name, first = ast.unparse(call.func), ast.unparse(call.args[0]) if call.args else ""
    markup = {word.arg: ast.unparse(word.value) for word in call.keywords}.get("markup")
    if name in OF_TERMINAL or name.endswith(".from_markup") or markup == "True":
        return True
    if name == "TextColumn" and "task.description" in first:
        return markup != "False"
    if name.endswith(".status"):
        return not first.startswith(("say(", "literally("))
    return name.endswith((".print", ".add_row", ".add_column")) and bool(TAG.search(first))
