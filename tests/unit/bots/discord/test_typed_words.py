import pytest

from bots.discord.option_parameters import values_of
from bots.discord.typed_words import words_typed
from core.domain.limits import RequestLimits
from core.domain.modes import Mode


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("a cat <:red_hat:123456789012345678> at sea", "a cat red hat at sea"),
        ("<a:dance:123456789012345678>", "dance"),
        ("<@501> and <@!502> ride", "and ride"),
        ("in <#77>, at <t:1700000000:R>, </t2v:12345> <id:home> <@&9>!", "in , at , !"),
        ("<@501>", ""),
        (
            "two  spaces <3 and a <b> or 1 < 2 > 0 :smile:",
            "two  spaces <3 and a <b> or 1 < 2 > 0 :smile:",
        ),
        ("line one\nline two <:x:1234>", "line one\nline two x"),
    ],
)
def test_codes_of_discord_become_words_or_go(typed: str, read: str) -> None:
    assert words_typed(typed) == read


def test_every_text_that_is_typed_is_read_so() -> None:
    given = {"prompt": "a <:kek:123> cat", "negative_prompt": "<@501> blur", "seconds": 2.0}

    values = values_of(given, Mode.T2V, RequestLimits())

    assert (values["prompt"], values["negative_prompt"]) == ("a kek cat", "blur")
