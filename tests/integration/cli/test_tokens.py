"""``clapper tokens``: shown once, listed by their beginnings, ended."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

Clapper = Callable[..., Result]
TOKEN = re.compile(r"(clapper_[0-9a-f]{8})_[A-Za-z0-9_-]{43}\n")


def test_a_token_is_printed_alone_and_is_nowhere_afterwards(
    clapper: Clapper, data_dir: Path
) -> None:
    given = clapper("tokens", "issue", "robot", "--scopes", "read, Submit", "--minutes", "2000")
    found = TOKEN.fullmatch(given.stdout)
    assert found is not None, given.output
    secret = re.search(r"whsec_[A-Za-z0-9_-]{43}", given.stderr)
    listed = clapper("tokens", "list", "--json")
    table = clapper("tokens", "list")

    assert secret is not None
    (one,) = json.loads(listed.stdout)["tokens"]
    assert (one["prefix"], one["name"], one["state"]) == (found[1], "robot", "works")
    assert (one["scopes"], one["limit_ms"]) == (["read", "submit"], 120_000_000)
    assert found[1] in table.stdout
    shown = listed.output + table.output
    stored = b"".join(path.read_bytes() for path in data_dir.rglob("*") if path.is_file())
    assert given.stdout.strip() not in shown
    assert secret[0] not in shown
    assert given.stdout.strip().encode() not in stored


def test_a_name_ends_all_its_tokens_and_a_beginning_one(clapper: Clapper) -> None:
    prefixes = [clapper("tokens", "issue", "robot").stdout.split("_")[1] for _ in range(3)]

    one = clapper("tokens", "revoke", f"clapper_{prefixes[0]}")
    rest = clapper("tokens", "revoke", "robot")
    none = clapper("tokens", "revoke", "robot")

    assert one.stdout == f"Ended: clapper_{prefixes[0]}.\n"
    assert all(prefix in rest.stdout for prefix in prefixes[1:])
    assert prefixes[0] not in rest.stdout
    assert none.exit_code != 0
    states = json.loads(clapper("tokens", "list", "--json").stdout)["tokens"]
    assert {token["state"] for token in states} == {"revoked"}


def test_no_token_is_made_of_a_name_or_a_scope_that_there_is_not(clapper: Clapper) -> None:
    refused = [
        clapper("tokens", "issue", "../x"),
        clapper("tokens", "issue", "Robot"),
        clapper("tokens", "issue", "robot", "--scopes", "everything"),
        clapper("tokens", "issue", "robot", "--days", "0"),
    ]

    assert [one.stdout for one in refused] == [""] * 4
    assert all(one.exit_code for one in refused)
    assert "No program has a token" in clapper("tokens", "list").stdout
