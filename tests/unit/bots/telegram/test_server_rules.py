"""The local Bot API refuses what the real one refuses, or a test that passes means little."""

from typing import Any

import pytest

from tests.support.platforms.telegram.rules import ApiError, check_commands, check_message

HTML = {"parse_mode": "HTML"}


def button(data: str) -> dict[str, Any]:
    return {"text": "x", "reply_markup": {"inline_keyboard": [[{"callback_data": data}]]}}


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ({"text": "x" * 4097}, "too long"),
        ({"caption": "x" * 1025}, "caption is too long"),
        ({"text": "<b> </b>", **HTML}, "empty"),
        ({"text": "a <b>kite", **HTML}, "Can't find end tag"),
        ({"text": "a <kite>", **HTML}, "Unsupported start tag"),
        ({"text": "a </b>", **HTML}, "Unmatched end tag"),
        (button("x" * 65), "BUTTON_DATA_INVALID"),
        (button(""), "BUTTON_DATA_INVALID"),
    ],
)
def test_what_is_too_long_or_broken_is_refused(message: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ApiError, match=sentence):
        check_message(message)


@pytest.mark.parametrize(
    "message",
    [
        {"text": "&lt;" * 4096, **HTML},  # what people see counts
        {"text": 'at <tg-time unix="1" format="r">noon</tg-time>', **HTML},
        {"text": "a <kite>"},
        button("x" * 64),
    ],
)
def test_the_largest_and_the_strangest_that_may_be_said_is_taken(message: dict[str, Any]) -> None:
    check_message(message)


def test_an_older_server_knows_no_countdown() -> None:
    with pytest.raises(ApiError, match="tg-time"):
        check_message({"text": "<tg-time>noon</tg-time>", **HTML}, counts_down=False)


@pytest.mark.parametrize(("name", "description"), [("T2V", "x"), ("t2v", ""), ("t2v", "x" * 257)])
def test_commands_have_names_and_descriptions_of_the_right_length(
    name: str, description: str
) -> None:
    with pytest.raises(ApiError):
        check_commands([{"command": name, "description": description}])
