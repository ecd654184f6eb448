"""Which codes of sentences the program names: as they are, or put together by an f-string."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_CODE = re.compile(r"[A-Za-z0-9_.]+")
_CLASS = re.compile(r"class (\w+)")  # the code of an error is its name
_TABLE = 6  # of a beginning by which sentences are picked, such as "gallery_"
_SHORTEST = 2  # letters of an f-string that say which codes it makes


@cache
def _sources() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """Return the words that stand in the program, and what its f-strings may become."""
    words: set[str] = set()
    made: set[str] = set()
    for package in ("core", "bots", "webui"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text("utf-8")
            words.update(_CODE.findall(text))
            words.update(_code_of(name) for name in _CLASS.findall(text))
            made.update(_patterns(ast.parse(text)))
        for path in (ROOT / package).rglob("*.js"):
            words.update(_CODE.findall(path.read_text("utf-8")))
    return frozenset(words), tuple(re.compile(one) for one in sorted(made))


def _patterns(tree: ast.Module) -> list[str]:
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [one.value if isinstance(one, ast.Constant) else None for one in node.values]
            fixed = "".join(str(part) for part in parts if part is not None)
            if len(fixed) >= _SHORTEST and _CODE.fullmatch(fixed):
                found.append(
                    "".join("[a-z0-9_.]+" if p is None else re.escape(str(p)) for p in parts)
                )
    return found


def _code_of(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def is_said(code: str) -> bool:
    """Tell whether anything says the sentence ``code``, or the word for an identifier."""
    words, made = _sources()
    _, dot, identifier = code.partition(".")
    if code in words or any(one.fullmatch(code) for one in made):
        return True
    heads = code.split("_")
    tables = ("_".join([*heads[:number], ""]) for number in range(1, len(heads)))
    return (bool(dot) and identifier in words) or any(
        len(table) >= _TABLE and table in words for table in tables
    )
