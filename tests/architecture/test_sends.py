"""Whatever a bot sends goes by one way, so that address rules and patience hold for all of it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

BOTS = Path(__file__).resolve().parents[2] / "bots"
# the modules through which everything goes, and the calls of the client libraries that send
DOORS = {"telegram": {"outgoing.py"}, "discord": {"answers.py", "sender.py"}}
BEGIN = ("send_", "edit_message", "edit_original", "delete_message", "delete_original", "forward_")
BEGIN += ("copy_message", "reply_", "pin_", "set_message")
NAMES = {"send", "defer", "followup", "delete_messages"}
# ours, of the same beginning: they end in a door; the library's own that show nothing in a chat
OURS = {"reply_on_error", "reply_file", "reply_to", "reply_to_error", "reply_to_message"}
OURS |= {"reply_parameters", "reply_markup", "send_direct", "send_messages"}
OURS |= {"send_messages_in_threads"}


def calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.lineno, node.func.attr
        elif isinstance(node, ast.Attribute) and node.attr == "followup":
            yield node.lineno, node.attr


def around(platform: str, source: str) -> list[str]:
    """The calls in ``source`` that go around the doors of a platform."""
    names = NAMES if platform == "discord" else NAMES - {"send", "defer"}
    return [
        f"line {line}: {name}"
        for line, name in calls(ast.parse(source))
        if name not in OURS and (name in names or name.startswith(BEGIN))
    ]


def modules() -> Iterator[tuple[str, Path]]:
    for platform, doors in DOORS.items():
        for path in sorted((BOTS / platform).glob("*.py")):
            if path.name not in doors:
                yield platform, path


@pytest.mark.parametrize(
    ("platform", "path"), list(modules()), ids=lambda one: getattr(one, "name", one)
)
def test_nothing_is_sent_around_the_one_way(platform: str, path: Path) -> None:
    found = around(platform, path.read_text("utf-8"))
    if path.name == "delivery.py" and platform == "discord":  # its own way into the sender
        found = [one for one in found if not one.endswith(": send")]

    assert found == []


@pytest.mark.parametrize(
    ("platform", "line"),
    [
        ("telegram", "await context.bot.send_message(1, 'x')"),
        ("telegram", "await message.reply_text('x')"),
        ("telegram", "await bot.edit_message_caption(chat_id=1)"),
        ("discord", "await interaction.response.send_message('x')"),
        ("discord", "await interaction.followup.send('x')"),
        ("discord", "await channel.send('x')"),
        ("discord", "await interaction.edit_original_response(content='x')"),
    ],
)
def test_a_send_that_goes_around_is_found(platform: str, line: str) -> None:
    assert around(platform, f"async def f():\n    {line}\n")
