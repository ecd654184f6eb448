import pytest

from bots.discord.rendering import MARKUP


@pytest.mark.parametrize(
    "typed", ["<#5>", "<@&5>", "</t2v:1>", "<t:0:R>", "<:kek:1>", "<a:kek:1>", "<id:home>"]
)
def test_what_discord_would_replace_is_read_as_it_was_written(typed: str) -> None:
    assert MARKUP.escape(f"look {typed}") == f"look \\{typed}"


def test_a_mention_of_a_person_names_nobody() -> None:
    escaped = MARKUP.escape("<@123456789012345678> < 5")
    assert escaped == "\\<@\u200b123456789012345678> < 5"
