"""The local Discord refuses what the real one refuses, so a sync in a test proves something."""

from typing import Any

import pytest

from tests.support.platforms.discord.rules import check_commands, check_message, check_modal
from tests.support.platforms.discord.wire import DiscordError

GOOD = {"name": "t2v", "description": "Make a video", "name_localizations": {"de": "text-zu-video"}}


def refused(commands: list[dict[str, Any]]) -> str:
    with pytest.raises(DiscordError) as error:
        check_commands(commands)
    return str(error.value.payload["message"])


def test_good_commands_pass() -> None:
    check_commands(
        [
            GOOD,
            {"name": "Restyle this", "type": 3},
            {**GOOD, "name": "höhe-2_a"} | {"name_localizations": {"de": "höhe"}},
        ]
    )


@pytest.mark.parametrize("name", ["", "T2v", "two words", "a" * 33, "a/b", "Übersicht"])
@pytest.mark.parametrize("localised", [False, True])
def test_a_name_that_discord_refuses_is_refused(name: str, *, localised: bool) -> None:
    wrong = {"name_localizations": {"de": name}} if localised else {"name": name}

    assert "name in" in refused([GOOD | wrong])
    assert "name in" in refused([GOOD | {"options": [GOOD | wrong]}])


def test_two_commands_may_not_share_a_name_in_any_language() -> None:
    other = {"name": "text-zu-video", "description": "x"}
    assert "one name in de" in refused([GOOD, other])
    check_commands([GOOD, {"name": "text-zu-video", "type": 3}])


def test_lengths_are_refused() -> None:
    assert "description" in refused([GOOD | {"description": "x" * 101}])
    assert "description" in refused([GOOD | {"description_localizations": {"de": ""}}])
    assert "name in" in refused([GOOD | {"choices": [{"name": "x" * 101, "value": "x"}]}])
    assert "many" in refused([{**GOOD, "name": f"c{n}"} for n in range(101)])


def test_required_options_come_first() -> None:
    options = [GOOD | {"name": "a"}, GOOD | {"name": "b", "required": True}]
    for option in options:
        option.pop("name_localizations")

    assert "required" in refused([GOOD | {"options": options}])


def test_a_form_needs_labels_within_the_limit() -> None:
    field = {"type": 4, "custom_id": "prompt"}
    check_modal({"title": "Edit", "components": [{"type": 18, "label": "x", "component": field}]})

    with pytest.raises(DiscordError, match="label"):
        check_modal({"title": "Edit", "components": [{"type": 1, "components": [field]}]})


def test_a_button_is_not_shown_twice() -> None:
    row = {"type": 1, "components": [{"custom_id": "a"}, {"custom_id": "a"}]}

    with pytest.raises(DiscordError, match="twice"):
        check_message({"components": [row]})
