"""What Discord refuses in a payload; source: its documentation of each object."""

import re
from collections.abc import Callable, Collection
from typing import Any

from tests.support.platforms.discord.wire import DiscordError
from tests.support.platforms.discord.world import (
    COMPONENTS,
    SECTION,
    TEXT,
    THUMBNAIL,
    parts_of,
)

CONTENT, CUSTOM_ID, LABEL, ROWS, ROW, DESCRIPTION, OPTIONS = 2000, 100, 80, 5, 5, 100, 25
COMMANDS, LABEL_TEXT, FIELDS, SELECT_OPTIONS = 100, 45, 5, 25
SLASH_NAME = re.compile(r"[-_'\w]{1,32}")  # lowercase; of commands and options
MENU_NAME, CHOICE_NAME = 32, 100  # characters
ROW_TYPE, PARTS, LAYOUT_TEXT = 1, 40, 4000  # of a message of components
LABEL_TYPE, MESSAGE_MENU = 18, 3  # of a component, of a command


def check_message(data: dict[str, Any], files: Collection[str] = ()) -> None:
    """Refuse a message that Discord would refuse.

    Raises:
        DiscordError: 50035 with what is wrong.
    """
    _refuse_if(len(data.get("content") or "") > CONTENT, "content is too long")
    is_layout = bool(int(data.get("flags") or 0) & COMPONENTS)
    if is_layout:
        _check_layout(data, files)
    rows = [one for one in data.get("components") or [] if one["type"] == ROW_TYPE]
    others = len(data.get("components") or []) - len(rows)
    _refuse_if(not is_layout and others > 0, "only rows, or a message of components")
    _refuse_if(not is_layout and len(rows) > ROWS, "too many rows")
    for row in rows:
        _refuse_if(not 0 < len(row["components"]) <= ROW, "a row has one to five buttons")
    items = [item for row in rows for item in row["components"]]
    names = [item["custom_id"] for item in items]
    _refuse_if(len(set(names)) < len(names), "a custom id is used twice")
    _refuse_if(any(not 0 < len(name) <= CUSTOM_ID for name in names), "custom id's length")
    _refuse_if(any(len(item.get("label") or "") > LABEL for item in items), "label is too long")


def _check_layout(data: dict[str, Any], files: Collection[str]) -> None:
    """Refuse a message of components that Discord would refuse."""
    parts = parts_of(data)
    _refuse_if(bool(data.get("content") or data.get("embeds")), "no text beside components")
    _refuse_if(not 0 < len(parts) <= PARTS, "a message has 1 to 40 components")
    texts = [one["content"] for one in parts if one["type"] == TEXT]
    _refuse_if(not all(texts) or sum(map(len, texts)) > LAYOUT_TEXT, "length of the texts")
    for one in parts:
        if one["type"] == SECTION:
            _refuse_if(not 1 <= len(one["components"]) <= 3, "a section has one to three texts")
            _refuse_if("accessory" not in one, "a section has an accessory")
        if one["type"] == THUMBNAIL:
            name = one["media"]["url"].removeprefix("attachment://")
            _refuse_if(name not in files, "the picture is not attached")
            _refuse_if(len(one.get("description") or "") > CONTENT, "length of a description")


def check_commands(commands: list[dict[str, Any]]) -> None:
    """Refuse commands that Discord would refuse.

    Raises:
        DiscordError: 50035 with what is wrong.
    """
    _refuse_if(len(commands) > COMMANDS, "too many commands")
    menus = [command for command in commands if command.get("type") == MESSAGE_MENU]
    check_names(menus, lambda name: 0 < len(name) <= MENU_NAME)
    slashes = [command for command in commands if command not in menus]
    check_names(slashes, is_slash_name)
    for command in slashes:
        _check_command(command)


def _check_command(command: dict[str, Any]) -> None:
    texts = _in_every_language(command, "description").values()
    _refuse_if(not all(0 < len(text) <= DESCRIPTION for text in texts), "description's length")
    options: list[dict[str, Any]] = command.get("options") or []
    _refuse_if(len(options) > OPTIONS, "too many options")
    optional = [not option.get("required") for option in options]
    _refuse_if(optional != sorted(optional), "required options come first")
    check_names(command.get("choices") or [], lambda name: 0 < len(name) <= CHOICE_NAME)
    check_names(options, is_slash_name)
    for option in options:
        _check_command(option)


def is_slash_name(name: str) -> bool:
    """Return whether a command or an option may be called so."""
    return SLASH_NAME.fullmatch(name) is not None and name == name.lower()


def check_names(siblings: list[dict[str, Any]], allowed: Callable[[str], bool]) -> None:
    """Refuse names that are not allowed, or that two siblings share in the eyes of a reader.

    Raises:
        DiscordError: 50035 with what is wrong.
    """
    names = [_in_every_language(item, "name") for item in siblings]
    for locale in {locale for item in names for locale in item}:
        seen = [item.get(locale, item[""]) for item in names]
        _refuse_if(not all(allowed(name) for name in seen), f"name in {locale or 'general'}")
        _refuse_if(len(set(seen)) < len(seen), f"two have one name in {locale or 'general'}")


def _in_every_language(item: dict[str, Any], field: str) -> dict[str, str]:
    """Return a text by locale; "" is the one without a language."""
    return {"": item.get(field) or "", **(item.get(f"{field}_localizations") or {})}


def check_modal(data: dict[str, Any]) -> None:
    """Refuse a form that Discord would refuse.

    Raises:
        DiscordError: 50035 with what is wrong.
    """
    labels: list[dict[str, Any]] = data["components"]
    _refuse_if(not 0 < len(data.get("title") or "") <= LABEL_TEXT, "title's length")
    _refuse_if(not 0 < len(labels) <= FIELDS, "a form has one to five fields")
    for label in labels:
        _refuse_if(label["type"] != LABEL_TYPE, "a field needs a label")
        _refuse_if(not 0 < len(label["label"]) <= LABEL_TEXT, "label's length")
        options: list[dict[str, Any]] = label["component"].get("options") or []
        _refuse_if(len(options) > SELECT_OPTIONS, "too many options")


def _refuse_if(wrong: bool, why: str) -> None:  # the condition is the argument
    if wrong:
        raise DiscordError(400, 50035, f"Invalid Form Body: {why}")
