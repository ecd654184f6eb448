"""What the Bot API refuses in a call, in its own sentences; source: its documentation."""

import re
from html.parser import HTMLParser
from typing import Any

TEXT, CAPTION, CALLBACK = 4096, 1024, 64  # characters after entities, and bytes
COMMANDS, DESCRIPTION = 100, 256
COMMAND = re.compile(r"[a-z0-9_]{1,32}")
COUNTDOWN = "tg-time"
TAGS = {"b", "i", "u", "s", "a", "code", "pre", "blockquote", "tg-spoiler", COUNTDOWN}


class ApiError(Exception):
    """An answer other than success."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.payload = {
            "ok": False,
            "error_code": code,
            "description": description,
            **({"parameters": parameters} if parameters else {}),
        }


class _Shown(HTMLParser):
    """The characters that people see of a text with markup."""

    def __init__(self, tags: set[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self._tags = tags
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag not in self._tags:
            raise _unparsed(f'Unsupported start tag "{tag}"')
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            raise _unparsed(f'Unmatched end tag "{tag}"')

    def handle_data(self, data: str) -> None:
        self.text += data

    def close(self) -> None:
        super().close()
        if self._open:
            raise _unparsed(f'Can\'t find end tag corresponding to start tag "{self._open[-1]}"')


def check_message(data: dict[str, Any], *, counts_down: bool = True) -> None:
    """Refuse a text, caption or keyboard that the Bot API would refuse.

    Raises:
        ApiError: 400 with what is wrong.
    """
    tags = TAGS if counts_down else TAGS - {COUNTDOWN}
    for field, limit, sentence in (
        ("text", TEXT, "message is too long"),
        ("caption", CAPTION, "message caption is too long"),
    ):
        if len(_shown(data, field, tags)) > limit:
            raise ApiError(400, f"Bad Request: {sentence}")
    if "text" in data and not _shown(data, "text", tags).strip():
        raise ApiError(400, "Bad Request: message text is empty")
    markup: dict[str, Any] = data.get("reply_markup") or {}
    rows: list[list[dict[str, str]]] = markup.get("inline_keyboard") or []
    said = [button["callback_data"] for row in rows for button in row if "callback_data" in button]
    if not all(0 < len(data.encode()) <= CALLBACK for data in said):
        raise ApiError(400, "Bad Request: BUTTON_DATA_INVALID")


def check_commands(commands: list[dict[str, str]]) -> None:
    """Refuse a list of commands that the Bot API would refuse.

    Raises:
        ApiError: 400 with what is wrong.
    """
    if len(commands) > COMMANDS:
        raise ApiError(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if COMMAND.fullmatch(command["command"]) is None:
            raise ApiError(400, "Bad Request: BOT_COMMAND_INVALID")
        if not 0 < len(command["description"]) <= DESCRIPTION:
            raise ApiError(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")


def _shown(data: dict[str, Any], field: str, tags: set[str]) -> str:
    """Return what people see of a text.

    Raises:
        ApiError: its markup cannot be read.
    """
    text = str(data.get(field) or "")
    if data.get("parse_mode") != "HTML":
        return text
    parser = _Shown(tags)
    parser.feed(text)
    parser.close()
    return parser.text


def _unparsed(why: str) -> ApiError:
    return ApiError(400, f"Bad Request: can't parse entities: {why}")
