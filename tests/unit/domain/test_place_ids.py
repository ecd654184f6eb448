"""Channels and roles are understood as people type them, or refused with a sentence."""

import pytest

from core.domain.people import Asker
from core.domain.policy import Policy
from core.errors import NotAnId, PolicyForbids
from core.i18n.messages import explain
from core.testing.doubles import t2v


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("<#123>", ("123",)),
        ("<#123><#456>", ("123", "456")),
        ("<#123>, 456; <#123>", ("123", "456")),
        ("https://discord.com/channels/1/222", ("222",)),
        ("https://ptb.discord.com/channels/1/222/333", ("222",)),
        ("discordapp.com/channels/@me/222", ("222",)),
        ("-1001234567890", ("-1001234567890",)),
        ("https://t.me/c/1234567890/77", ("-1001234567890",)),
        ("t.me/c/1234567890/5/77", ("5",)),
        ("  ", ()),
    ],
)
def test_channels_are_understood(typed, ids):
    policy = Policy().changed("channels", typed)

    assert policy.channels == ids
    for channel in ids:
        policy.check(t2v(), Asker(channel))


def test_roles_are_understood():
    policy = Policy().changed("roles", "<@&42> 43")

    assert policy.roles == ("42", "43")
    policy.check(t2v(), Asker("1", frozenset({"43"})))


@pytest.mark.parametrize(
    ("rule", "typed"),
    [
        ("channels", "#general"),
        ("channels", "@name"),
        ("channels", "<@&42>"),
        ("channels", "<@1>"),
        ("channels", "https://example.com/channels/1/2"),
        ("channels", "12.5"),
        ("channels", "9" * 5000),
        ("roles", "<@!1>"),
        ("roles", "<#1>"),
        ("roles", "moderators"),
        ("roles", "@everyone"),
    ],
)
def test_what_is_no_id_is_refused_and_named(rule, typed):
    with pytest.raises(NotAnId) as refused:
        Policy().changed(rule, typed)

    assert typed[:40] in explain(refused.value)
    assert explain(refused.value, "de") != explain(refused.value)


def test_values_that_were_stored_as_typed_are_understood_where_they_name_something():
    policy = Policy.from_json({"channels": ["<#123>", "#general"]})

    assert policy == Policy(channels=("123",))
    policy.check(t2v(), Asker("123"))
    with pytest.raises(PolicyForbids):
        policy.check(t2v(), Asker("4"))


def test_a_rule_of_which_no_value_names_anything_lets_nobody_in_and_says_why():
    policy = Policy.from_json({"roles": ["moderators"]})

    with pytest.raises(PolicyForbids) as refused:
        policy.check(t2v(), Asker("123"))
    assert "roles" in explain(refused.value)
    assert policy.shown() == "roles: ?"
    policy.changed("roles", "").check(t2v(), Asker("123"))


def test_rules_are_shown_as_a_readable_list():
    policy = Policy(channels=("1", "2"), max_seconds=5.0, words=("a", "b"))

    assert policy.shown() == "channels: 1 2, max_seconds: 5, words: “a” “b”"
    assert policy.shown("<#{}>").startswith("channels: <#1> <#2>")
