"""The commands that install what an extra needs."""

import re
import shlex
import sys
import tomllib

import pytest

from core.runtime.extras import EXTRAS, extras_here, install_extra
from core.runtime.program_files import PROJECT_ROOT

WANTED = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))["project"][
    "optional-dependencies"
]


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_command_installs_what_the_extra_lists(extra: str) -> None:
    names = [re.split(r"[<>=!~ ]", one)[0] for one in WANTED[extra]]

    words = shlex.split(install_extra(extra))

    assert words[0] == sys.executable
    assert words[-len(names) :] == names
    assert (PROJECT_ROOT / "constraints.txt").samefile(words[words.index("--constraint") + 1])


def test_an_extra_is_here_where_its_own_package_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXTRAS, "mcp", ("clapper-has-no-such-package", "pytest"))
    monkeypatch.setitem(EXTRAS, "c2pa", ("pytest", "clapper-has-no-such-package"))

    assert {"mcp", "c2pa"}.intersection(extras_here()) == {"c2pa"}
