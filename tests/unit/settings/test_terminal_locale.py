"""Which language a terminal speaks, as other programs understand it."""

import pytest

from core.settings.terminal_locale import terminal_locale

NAMES = ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE")


@pytest.mark.parametrize(
    ("set_to", "found"),
    [
        ({}, None),
        ({"LANG": "de_AT.UTF-8"}, "de_AT"),
        ({"LANG": "de_DE@euro"}, "de_DE"),
        ({"LANG": "C.UTF-8"}, None),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "POSIX"}, None),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "pl_PL.UTF-8"}, "pl_PL"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": ""}, "de_DE"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "pl:en"}, "pl"),
        ({"LANG": "C", "LANGUAGE": "pl:en"}, None),
    ],
)
def test_the_first_variable_that_is_set_decides(
    monkeypatch: pytest.MonkeyPatch, set_to: dict[str, str], found: str | None
) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in set_to.items():
        monkeypatch.setenv(name, value)

    assert terminal_locale() == found
