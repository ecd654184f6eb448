"""Who gets a larger share of the device."""

import pytest

from core.accounts.weights import Shares
from core.domain.people import Requester
from core.errors.setup import BadConfiguration

SHARES = Shares.parse("operators=300, role:42=150, role:43=200, studio=50, discord:7=1000")


@pytest.mark.parametrize(
    ("key", "roles", "operator", "weight"),
    [
        ("discord:1", (), False, 100),
        ("studio:1", (), False, 50),
        ("discord:1", ("42", "43", "44"), False, 200),
        ("discord:1", ("42",), True, 300),
        ("discord:7", ("42",), True, 1000),
    ],
)
def test_the_most_personal_entry_counts(key, roles, operator, weight):
    requester = Requester.from_key(key)

    assert SHARES.weight(requester, frozenset(roles), operator=operator) == weight


@pytest.mark.parametrize("text", ["operators", "=100", "studio=0", "studio=-1", "a=1.5", "a=10001"])
def test_what_is_no_share_is_refused_at_the_start(text):
    with pytest.raises(BadConfiguration):
        Shares.parse(text)


def test_nothing_said_means_equal_shares():
    assert Shares.parse(" ").weight(Requester("cli", "me"), frozenset(), operator=True) == 100
