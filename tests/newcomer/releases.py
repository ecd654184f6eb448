"""Where an update begins: the release before, or, as long as there is none, an older commit."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.newcomer.place import ROOT

UPDATER = "core/cli/upgrade/command.py"  # programs before it cannot update themselves
NEXT = "v9999.0.0"  # what the walk calls the commit that it goes to, in a repository of its own
WHOLE = "git fetch --unshallow --tags"
_VERSION = re.compile(r'^__version__ = "([^"]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Start:
    """A commit of before, and what people would call it."""

    commit: str
    name: str


def git(*arguments: str, cwd: Path = ROOT) -> str:
    """Run git and return what it says, empty where it does not know."""
    done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def before_this_one() -> Start:
    """Return the newest release but this one that can update itself.

    Without a tag it is the first commit that could, by its version and day. A shallow clone has
    neither, and skips with what brings them.
    """
    here = git("rev-parse", "HEAD")
    for tag in git("tag", "--list", "v*", "--sort=-version:refname").split():
        commit = git("rev-list", "-n", "1", tag)
        if commit != here and git("cat-file", "-t", f"{commit}:{UPDATER}"):
            return Start(commit, tag)
    if git("rev-parse", "--is-shallow-repository") == "true":
        pytest.skip(f"the release before is not in this clone: {WHOLE}")
    added = git("log", "--reverse", "--diff-filter=A", "--format=%H", "--", UPDATER).split()
    return _named(added[0])


def of_the_version_before() -> Start:
    """Return the last commit whose version is not this one's, by its version and day."""
    ours = _version("HEAD")
    changes = git("log", "--format=%H", "-G", "__version__", "--", "core/__init__.py").split()
    for commit in changes:
        if _version(f"{commit}^") not in {ours, ""}:
            return _named(git("rev-parse", f"{commit}^"))
    if git("rev-parse", "--is-shallow-repository") == "true":
        pytest.skip(f"the version before is not in this clone: {WHOLE}")
    pytest.skip("there is no version before this one")


def origin_of(folder: Path, start: Start) -> Path:
    """Make a repository: ``start`` is its branch, and this commit the release after that."""
    origin = folder / "origin.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", f"file://{ROOT}", origin], check=True)
    here = git("rev-parse", "HEAD")
    for arguments in (
        ("tag", NEXT, here),
        ("update-ref", "refs/heads/main", start.commit),
        ("symbolic-ref", "HEAD", "refs/heads/main"),
    ):
        subprocess.run(["git", *arguments], cwd=origin, check=True)
    return origin


def _named(commit: str) -> Start:
    day = git("log", "-1", "--format=%h of %cs", commit)
    return Start(commit, f"{_version(commit)} at {day}")


def _version(commit: str) -> str:
    """Return the version of a commit; the first ones have it beside the package."""
    found = _VERSION.search(git("show", f"{commit}:core/__init__.py"))
    if found is None:
        found = re.search(r'^version = "([^"]+)"', git("show", f"{commit}:pyproject.toml"), re.M)
    return found[1] if found else ""
