"""What Discord refuses in a payload; source: its documentation of each object."""

from typing import Any

from bots.testing.discord.wire import DiscordError

CONTENT, CUSTOM_ID, LABEL, ROWS, ROW, DESCRIPTION, OPTIONS = 2000, 100, 80, 5, 5, 100, 25
COMMANDS = 100


def check_message(data: dict[str, Any]) -> None:
    """Refuse a message that Discord would refuse.

    Raises:
        DiscordError: 50035 with what is wrong.
    """
    _refuse_if(len(data.get("content") or "") > CONTENT, "content is too long")
    rows: list[dict[str, Any]] = data.get("components") or []
    _refuse_if(len(rows) > ROWS, "too many rows")
    for row in rows:
        _refuse_if(not 0 < len(row["components"]) <= ROW, "a row has one to five buttons")
    items = [item for row in rows for item in row["components"]]
    names = [item["custom_id"] for item in items]
    _refuse_if(len(set(names)) < len(names), "a custom id is used twice")
    _refuse_if(any(not 0 < len(name) <= CUSTOM_ID for name in names), "custom id's length")
    _refuse_if(any(len(item.get("label") or "") > LABEL for item in items), "label is too long")


def check_commands(commands: list[dict[str, Any]]) -> None:
    """Refuse commands that Discord would refuse.

    Raises:
        DiscordError: 50035 with what is wrong.
    """
    _refuse_if(len(commands) > COMMANDS, "too many commands")
    for command in commands:
        texts = [command.get("description") or "", *_translations(command)]
        _refuse_if(any(len(text) > DESCRIPTION for text in texts), "description is too long")
        options: list[dict[str, Any]] = command.get("options") or []
        _refuse_if(len(options) > OPTIONS, "too many options")
        optional = [not option.get("required") for option in options]
        _refuse_if(optional != sorted(optional), "required options come first")
        check_commands([option for option in options if option.get("description")])


def _translations(command: dict[str, Any]) -> list[str]:
    found: dict[str, str] = command.get("description_localizations") or {}
    return list(found.values())


def _refuse_if(wrong: bool, why: str) -> None:  # noqa: FBT001  # the condition is the argument
    if wrong:
        raise DiscordError(400, 50035, f"Invalid Form Body: {why}")
