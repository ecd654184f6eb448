"""Measure the structure of the code, and draw its packages and layers.

python bench/structure.py [--root DIR] [--json]
python bench/structure.py --long
python bench/structure.py --draw docs/images/architecture.svg

Counts what the decision record about the tree is held against: flat files in a package, layers of
the import contract, arrows between packages, the largest fan-in, long modules, class names that
stand twice. ``--root`` measures another checkout, so that before and after come from one script.
"""

import argparse
import ast
import configparser
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("core", "bots", "webui")
LONG = 250  # lines; modules above it are counted
NEARLY = 280  # lines; modules above it are named, before the limit of 300 stops somebody
WIDTH, ROW, GAP, LEFT, TOP = 860, 46, 10, 24, 24
FILLS = ("#e8f0fb", "#f3f5f8")


@dataclass(frozen=True)
class Module:
    """One file of the product: its dotted name, lines, imported modules and class names."""

    name: str
    lines: int
    imports: frozenset[str]
    classes: tuple[str, ...]


def modules(root: Path) -> dict[str, Module]:
    """Read every module of the product below ``root``, by dotted name."""
    paths = {
        dotted(path.relative_to(root)): path
        for top in PRODUCT
        for path in (root / top).rglob("*.py")
    }
    return {name: read(name, path, paths.keys()) for name, path in sorted(paths.items())}


def dotted(path: Path) -> str:
    """Turn a relative path into the name that an import uses."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read(name: str, path: Path, known: object) -> Module:
    """Parse one module; only imports of ``known`` modules count."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {one for one in inner if one in known} or {node.module}  # type: ignore[operator]  # keys
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    classes = tuple(node.name for node in tree.body if isinstance(node, ast.ClassDef))
    mine = frozenset(one for one in found if one in known and one != name)  # type: ignore[operator]  # keys
    return Module(name, len(text.splitlines()), mine, classes)


def package_of(name: str, names: object) -> str:
    """Return ``core.queue`` for a module in it, and the module itself where it lies flat."""
    parts = name.split(".")
    is_package = any(other.startswith(name + ".") for other in names)  # type: ignore[attr-defined]  # keys
    return ".".join(parts[:2]) if len(parts) > 2 or is_package else name


def layers(root: Path) -> list[str]:
    """Return the rows of the longest layers contract, top to bottom."""
    parser = configparser.ConfigParser()
    parser.read(root / ".importlinter")
    rows = [
        [line.strip() for line in parser[part]["layers"].splitlines() if line.strip()]
        for part in parser.sections()
        if "layers" in parser[part]
    ]
    return max(rows, key=len)


def measure(root: Path) -> dict[str, object]:
    """Count everything that the table shows."""
    found = modules(root)
    home = {name: package_of(name, found) for name in found}
    flat = Counter(
        name.rpartition(".")[0]
        for name in found
        if "." in name and not any(other.startswith(name + ".") for other in found)
    )
    arrows = {
        (home[a], home[b]) for a, one in found.items() for b in one.imports if home[a] != home[b]
    }
    fan_in = Counter(b for one in found.values() for b in one.imports)
    owners: dict[str, set[str]] = defaultdict(set)
    for name, one in found.items():
        for label in one.classes:
            owners[label].add(name)
    doubled = sorted(label for label, where in owners.items() if len(where) > 1)
    most = fan_in.most_common(1)[0]
    return {
        "flat files in core/": flat["core"],
        "flat files in webui/": flat["webui"],
        "largest package, flat files": "{} ({})".format(*flat.most_common(1)[0]),
        "packages and flat modules": len(set(home.values())),
        "layers of the import contract": len(layers(root)),
        "import arrows between packages": len(arrows),
        "import arrows between modules": sum(len(one.imports) for one in found.values()),
        "largest fan-in": "{} ({})".format(*most),
        f"modules over {LONG} lines": sum(one.lines > LONG for one in found.values()),
        "class names defined twice": len(doubled),
        "  which": ", ".join(doubled) or "none",
    }


def draw(root: Path) -> str:
    """Draw the layers as rows of boxes, each package with its first docstring line."""
    rows = [
        ["bots", "webui"],
        *([part.strip() for part in row.replace("|", ":").split(":")] for row in layers(root)),
    ]
    height = TOP * 2 + len(rows) * (ROW + GAP)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        ' font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for number, row in enumerate(rows):
        width = (WIDTH - 2 * LEFT - GAP * (len(row) - 1)) / len(row)
        for place, name in enumerate(row):
            folder = root / name if number == 0 else root / "core" / name
            out += box(
                LEFT + place * (width + GAP),
                TOP + number * (ROW + GAP),
                width,
                name,
                summary(folder),
                number,
            )
    return "\n".join([*out, "</svg>", ""])


def box(x: float, y: float, width: float, name: str, says: str, number: int) -> list[str]:
    """Draw one package: a rectangle, its name, and what belongs in it as far as it fits."""
    room = int(width / 6.2)
    short = says if len(says) <= room else says[: room - 1].rsplit(" ", 1)[0] + " …"
    return [
        f'<rect x="{x:.0f}" y="{y}" width="{width:.0f}" height="{ROW}" rx="6"'
        f' fill="{FILLS[number % 2]}" stroke="#9aa7b8"/>',
        f'<text x="{x + 10:.0f}" y="{y + 19}" font-size="14" font-weight="bold"'
        f' fill="#1e222a">{escape(name)}</text>',
        f'<text x="{x + 10:.0f}" y="{y + 36}" font-size="11" fill="#4a5260">{escape(short)}</text>',
    ]


def summary(folder: Path) -> str:
    """Return the first line of a package's docstring."""
    source = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    return (ast.get_docstring(ast.parse(source.read_text("utf-8"))) or "").splitlines()[0]


def print_long(root: Path) -> None:
    """Print a warning for each module that comes near the limit, with what it seems to hold."""
    found = modules(root)
    for name, module in found.items():
        if module.lines <= NEARLY:
            continue
        users = sum(name in other.imports for other in found.values())
        longest = ", ".join(longest_functions(root / module_path(root, name)))
        print(f"warning: {name} has {module.lines} of 300 lines, {users} import it; {longest}")


def module_path(root: Path, name: str) -> Path:
    """Return the file of a module, relative to ``root``."""
    path = Path(*name.split("."))
    return path / "__init__.py" if (root / path).is_dir() else path.with_suffix(".py")


def longest_functions(path: Path) -> list[str]:
    """Name the three longest functions of a module, each with its lines."""
    tree = ast.parse(path.read_text("utf-8"))
    lengths = {
        node.name: (node.end_lineno or 0) - node.lineno + 1
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    longest = sorted(lengths, key=lambda name: -lengths[name])[:3]
    return [f"{name}: {lengths[name]} lines" for name in longest]


def main() -> None:
    """Print the table, or write the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout to measure")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--long", action="store_true", help=f"name modules over {NEARLY} lines")
    parser.add_argument("--draw", type=Path, help="write the picture of packages and layers here")
    arguments = parser.parse_args()
    if arguments.draw:
        arguments.draw.write_text(draw(arguments.root), "utf-8")
        return
    if arguments.long:
        print_long(arguments.root)
        return
    figures = measure(arguments.root)
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    for label, value in figures.items():
        print(f"{label:<34} {value}")


if __name__ == "__main__":
    main()
