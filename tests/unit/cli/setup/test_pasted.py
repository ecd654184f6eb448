"""What is taken out of what people paste."""

import pytest

from core.cli.setup.pasted import pasted_account, pasted_token

TOKEN = "123456:AAE-x_y"


@pytest.mark.parametrize(
    "typed",
    [
        TOKEN, f" {TOKEN} ", f'"{TOKEN}"',
        f"' {TOKEN} '", f"“{TOKEN}”", f"`{TOKEN}`", f"Bot {TOKEN}",
        f"CLAPPER_TELEGRAM_TOKEN={TOKEN}", f'export CLAPPER_TELEGRAM_TOKEN = "{TOKEN}"\r\n',
    ],
)  # fmt: skip
def test_a_token_is_found_in_what_came_along(typed: str) -> None:
    assert pasted_token(typed) == TOKEN


@pytest.mark.parametrize("token", ["MTA.Gx=.a-b_c==", "Bota.b.c", "a=b"])
def test_signs_of_a_token_stay(token: str) -> None:
    assert pasted_token(token) == token


def test_quotes_around_nothing_are_nothing() -> None:
    assert pasted_token(' "" ') == ""


@pytest.mark.parametrize(
    ("typed", "account"),
    [
        ("501", "discord:501"),
        ("<@501>", "discord:501"),
        ("<@!501>", "discord:501"),
        ('"501"', "discord:501"),
        ("telegram:7", "telegram:7"),
        ("@me", "discord:@me"),  # refused where settings are checked
    ],
)
def test_an_account_may_be_typed_as_a_number_a_mention_or_whole(typed: str, account: str) -> None:
    assert pasted_account(typed, "discord") == account
