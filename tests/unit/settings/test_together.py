"""Every variable takes nothing, nonsense and contradictions: only our own sentences come of it."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.errors.setup import BadConfiguration
from core.i18n.messages import explain
from core.settings import Settings, load_settings, variables
from core.settings.area import field_at
from core.settings.problems import range_of

NAMES = [name for variable in variables(Settings).values() for name in variable.names]
NONSENSE = {
    "text": "bob the operator",
    "not a number": "nan",
    "infinite": "inf",
    "negative infinite": "-Infinity",
    "negative": "-1",
    "beyond floats": "1e400",
    "huge": "9" * 5000,
    "large": "1e18",
    "fraction": "0.3333",
    "tiny": "1e-300",
    "control": "a\x1b[31mb",
    "line break": "a\nb",
    "not UTF-8": "caf\udce9",
    "home of nobody": "~nobody-here/x",
    "brackets": "[bold]x[/y]",
    "braces": "{0.__class__}%s",
    "long": "x" * 10_000,
    "other digits": "٣",
    "port too high": "65536",
    "half an address": "http://[::1",
    "no host": "https://",
    "another scheme": "javascript:alert(1)",
}
DISTANT = {  # a pair that excludes each other, and what is named for it
    "seconds": {"MIN_SECONDS": "30", "MAX_SECONDS": "5"},
    "default too short": {"MIN_SECONDS": "6"},
    "default too long": {"MAX_SECONDS": "4"},
    "frames a second": {"MAX_FPS": "16"},
    "frames at least": {"MIN_FPS": "25"},
    "sides": {"MIN_SIDE": "1024", "MAX_SIDE": "512"},
    "no side between": {"MIN_SIDE": "270", "MAX_SIDE": "300"},
    "no frame": {"MIN_SIDE": "1920", "MAX_MEGAPIXELS": "1"},
    "lease": {"LEASE_S": "5", "HEARTBEAT_S": "60"},
    "one late heartbeat": {"LEASE_S": "9"},
    "waits longer than kept": {"WAIT_LIMIT_HOURS": "48", "RETENTION_DAYS": "1"},
    "a gate at the page's port": {
        "STUDIO_PORT": "8443",
        "GATE_PORT": "8443",
    },
    "probes at the gate's port": {
        "HEALTH_PORT": "8443",
        "GATE_PORT": "8443",
    },
    "one port": {
        "STUDIO_PORT": "8443",
        "TELEGRAM_WEBHOOK_URL": "https://bot.example/hook",
        "TELEGRAM_WEBHOOK_PORT": "8443",
    },
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def sentence_of(error: BadConfiguration) -> str:
    """What a person reads, in both languages; the German one may not fail either."""
    assert explain(error, "de")
    return explain(error)


@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_is_refused_by_name_or_taken_literally(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, NONSENSE[kind])
    with pytest.raises(BadConfiguration) as caught:
        load_settings()  # no kind of nonsense is right for every variable

    told = sentence_of(caught.value)
    assert "\x1b" not in told
    assert max(len(line) for line in told.splitlines()) < 400
    for variable in variables(Settings).values():
        if variable.names[0] in caught.value.setting.split(", "):
            for name in variable.names:
                monkeypatch.delenv(name)
    remaining = load_settings()
    assert all(
        remaining.values()[key] is not None
        for key, variable in variables(Settings).items()
        if variable.names[0] in os.environ
    )


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400", "1e18", "-1", "9" * 5000])
def test_no_number_is_without_bounds(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    usual = load_settings().values()
    counted = [
        name
        for key, variable in variables(Settings).items()
        for name in variable.names
        if isinstance(usual[key], int | float) and not isinstance(usual[key], bool)
    ]
    for name in counted:
        monkeypatch.setenv(name, value)

    with pytest.raises(BadConfiguration) as caught:
        load_settings()

    told = sentence_of(caught.value)
    assert {name for name in counted if name not in told} == set()
    assert len(told.splitlines()) == len(counted)


def test_every_number_has_a_least_and_a_greatest_value() -> None:
    open_ended: list[str] = []
    for key, variable in variables(Settings).items():
        field = field_at(Settings, variable.path)
        if re.search(r"\b(int|float)\b", str(field.annotation)) and None in range_of(field):
            open_ended.append(key)

    assert open_ended == []


@pytest.mark.parametrize("kind", DISTANT)
def test_what_contradicts_itself_is_refused_by_its_names(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for name, value in DISTANT[kind].items():
        monkeypatch.setenv(f"CLAPPER_{name}", value)

    with pytest.raises(BadConfiguration) as caught:
        load_settings()

    told = sentence_of(caught.value)
    assert any(f"CLAPPER_{name}" in told for name in DISTANT[kind])
    assert len(set(told.split()) & {f"CLAPPER_{name}" for name in ALL_NAMES}) >= 2, told


ALL_NAMES = {name.removeprefix("CLAPPER_") for name in NAMES}


def test_one_port_is_fine_where_only_one_server_is() -> None:
    load_settings(studio_port=8443)
    load_settings(studio=False, studio_port=8443, telegram_webhook_url="https://bot.example/hook")


def test_everything_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"CLAPPER_MAX_QUEUED": "none", "CLAPPER_QUOTA_MINUTES": "inf", "CLAPPER_VRAM": "all",
             "CLAPPER_LEASE_S": "6", "CLAPPER_STUDIO": "perhaps",
             "CLAPPER_METRICS_TOKEN": "short"}  # fmt: skip
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(BadConfiguration) as caught:
        load_settings()

    told = sentence_of(caught.value)
    assert {name for name in wrong if name not in told} == set()
    assert len(told.splitlines()) == len(wrong)
    assert set(wrong) <= set(caught.value.setting.split(", "))


def test_a_wrong_value_makes_no_contradiction_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAPPER_MAX_FPS", "many")
    monkeypatch.setenv("CLAPPER_MIN_FPS", "28")

    with pytest.raises(BadConfiguration) as caught:
        load_settings()

    assert json.loads(caught.value.reason) == [
        ["setting_not_whole", {"name": "CLAPPER_MAX_FPS", "value": "many", "least": "8",
                               "most": "60"}],
        ["settings_out_of_order", {"low": "CLAPPER_MIN_FPS", "high": "CLAPPER_DEFAULT_FPS",
                                   "is_low": "28", "is_high": "24"}],
    ]  # fmt: skip


@pytest.mark.parametrize("kind", NONSENSE)
def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    usual = load_settings()
    secret = [
        variable.names[0]
        for key, variable in variables(Settings).items()
        if "token" in key or "secret" in key
    ]
    assert len(secret) >= 6
    for name in secret:
        monkeypatch.setenv(name, f"{NONSENSE[kind]}\x07 swordfish")
    with pytest.raises(BadConfiguration) as caught:
        load_settings()

    assert usual.discord.token is None
    assert "swordfish" not in explain(caught.value) + str(caught.value) + repr(caught.value)


def test_blanks_around_a_value_are_not_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAPPER_DISCORD_TOKEN", " a.b.c \n")
    monkeypatch.setenv("CLAPPER_DATA_DIR", " /srv/clapper ")

    settings = load_settings()

    assert settings.discord.token == SecretStr("a.b.c")
    assert settings.data_dir == Path("/srv/clapper")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("discord:123", True),
        ("discord:123, telegram:-4,", False),
        ("telegram:456,studio:user-ada, hf:ada-l,mastodon:ada@example.org", True),
        ("bob", False),
        ("bob the operator", False),
        ("discord:@bob", False),
        ("discord:", False),
        (":123", False),
        ("discord: 123", False),
        ("Discord:123", False),
        ("discord:١٢٣", False),
        ("discord:1;telegram:2", False),
        ("studio:ada", False),
        ("studio:user-", False),
        ("studio:guests", False),
        ("studio:token-robot", False),
        (",", True),
    ],
)
def test_operators_that_are_nobody_are_refused(text: str, *, right: bool) -> None:
    if right:
        load_settings(operators=text)
    else:
        with pytest.raises(BadConfiguration, match="setting_no_account"):
            load_settings(operators=text)


@pytest.mark.parametrize("make", [Settings, load_settings], ids=["directly", "loaded"])
def test_the_usual_settings_agree(make: Callable[[], Settings]) -> None:
    assert make() == load_settings()
