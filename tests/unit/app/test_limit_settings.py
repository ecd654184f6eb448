"""Every setting of a limit reaches a row of the table: none is read and then left out."""

from dataclasses import fields, replace

import pytest

from core.accounts.limits import LIMITS, QuotaRules
from core.app.rules import media_limits, queue_rules
from core.domain.people import Payer
from core.settings import Settings, load_settings, variables
from core.settings.service import QuotaSettings

OF_GUESTS = ("guest_minutes", "network_minutes")
LISTED = {"quota_roles": "role:42=7", "quota_places": "discord:100=7"}
MAPPED = {"roles_ms": {"role:42": 7}, "places_ms": {"discord:100": 7}}
ROLES = frozenset({"42"})
PAYERS = (Payer("discord:1", place="discord:100", roles=ROLES), Payer.guest("home"))
AMOUNTS = [item.name for item in fields(QuotaRules) if item.name not in {"charge_percent", "table"}]
SETTINGS = [
    name
    for name, variable in variables(Settings).items()
    if variable.path[0] == "quota" or variable.path[-1].endswith(OF_GUESTS)
]


def changed_by(setting: str) -> set[str]:
    """Return which rules differ where ``setting`` has another value than usual."""
    usual, other = (
        queue_rules(load_settings(**given)).quota
        for given in ({}, {setting: LISTED.get(setting, 7)})
    )
    return {name for name in AMOUNTS if getattr(usual, name) != getattr(other, name)}


def in_force(rules: QuotaRules) -> list[object]:
    """Return what every row allows, and for how long."""
    return [(row.amount(rules, payer), row.window(rules)) for row in LIMITS for payer in PAYERS]


def test_settings_of_limits_are_looked_at() -> None:
    assert {f"quota.{name}" for name in QuotaSettings.model_fields} <= {
        ".".join(variables(Settings)[name].path) for name in SETTINGS
    }


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_changes_one_rule(setting: str) -> None:
    assert len(changed_by(setting)) == 1


def test_every_rule_has_its_setting() -> None:
    assert {rule for setting in SETTINGS for rule in changed_by(setting)} == set(AMOUNTS)


@pytest.mark.parametrize("rule", AMOUNTS)
def test_every_rule_is_in_a_row(rule: str) -> None:
    assert in_force(QuotaRules()) != in_force(replace(QuotaRules(), **{rule: MAPPED.get(rule, 7)}))


def test_as_much_of_a_film_is_kept_as_a_clip_may_last(monkeypatch: pytest.MonkeyPatch) -> None:
    assert media_limits(load_settings()).use_seconds == load_settings().requests.max_seconds

    monkeypatch.setenv("CLAPPER_MAX_SECONDS", "33")

    assert media_limits(load_settings()).use_seconds == 33
