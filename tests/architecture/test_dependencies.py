"""What people install is used, and weighs no more than it must."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = ("cluster", "mcp", "c2pa")
# 512 on Linux with Python 3.11 in November 2026; the image leaves out a third of it
MOST_MEGABYTES = 560
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def named_modules(path: Path) -> Iterator[str]:
    """Yield what a module imports, and names in texts: drivers and plug-ins are found by these."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module)):
                yield module
            case ast.Constant(value=str(text)) if _PATH.fullmatch(text):
                yield text


def test_what_people_install_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    optional = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(line for extra in EXTRAS for line in optional[extra])]
    brings: dict[str, set[str]] = {}
    for module, names in packages_distributions().items():
        for name in names:
            brings.setdefault(canonical(name), set()).add(module)
    files = (path for folder in ("core", "bots", "webui") for path in (ROOT / folder).rglob("*.py"))
    used = {name.partition(".")[0] for path in files for name in named_modules(path)}

    names = [canonical(re.split(r"[^\w.-]", line)[0]) for line in wanted]
    assert [name for name in names if not brings[name] & used] == []


def test_what_people_install_stays_small() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")

    total = sum(weight(name) for name in re.findall(r"^([\w.-]+)==", lock, re.M))

    assert total / 1e6 <= MOST_MEGABYTES


def weight(name: str) -> int:
    """Bytes of a package without what Python compiles; 0 where it is for other systems only."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return 0
    paths = (Path(str(found.locate_file(file))) for file in found.files or ())
    return sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file())
