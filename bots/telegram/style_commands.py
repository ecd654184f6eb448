"""Run ``/styles``: the named styles of a chat, what it chooses for people, and both as a file."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from telegram.error import TelegramError

from bots.shared.style_texts import FILE_NAME, defaults_text, styles_text, taken_back
from bots.telegram.address import PLATFORM
from bots.telegram.chat_event import ChatEvent
from bots.telegram.directory import TelegramDirectory
from bots.telegram.messages import reply_file
from bots.telegram.private_chat import is_private
from core.domain.people import Caller
from core.domain.style_file import MOST_BYTES, text_of
from core.domain.styles import STYLE
from core.errors import StylesUnreadable
from core.service.user_styles import PlaceStyles

_NAMED = re.compile(r"(?:^|(?<=\s))(?:--|—|–)(?P<name>[^\W\d_][\w-]*)(?:=|(?=\s)|$)")
_EVERYWHERE, _TOPIC = "everywhere", "topic"
CLEAR = "clear"  # the field that names options which are not chosen any more


@dataclass(frozen=True, slots=True)
class StyleCommand:
    """One ``/styles`` message that changes something."""

    event: ChatEvent
    place: PlaceStyles
    words: str  # before the fields
    given: Mapping[str, str]


async def run_styles(event: ChatEvent, rest: str) -> None:
    """List the styles of a chat, or change them for who runs it.

    Raises:
        ManagersOnly: the person neither runs the chat nor operates the bot.
        InvalidInput: something cannot be kept.
    """
    verb, _, rest = rest.strip().partition(" ")
    everywhere = verb.lower() == _EVERYWHERE
    if everywhere:
        verb, _, rest = rest.strip().partition(" ")
    run = _VERBS.get(verb.lower())
    if run is None:
        styles = await event.users.styles.listed(event.caller)
        listed = styles_text(event.texts, styles, f"--{STYLE}")
        await event.reply(listed + "\n\n" + event.texts.say("t_styles_usage"))
        return
    caller = await _who_may(event)
    place = event.users.styles.of_place(caller, everywhere=everywhere)
    words, given = read_fields(rest)
    await run(StyleCommand(event, place, words, given))


def read_fields(text: str) -> tuple[str, dict[str, str]]:
    """Return the words before the first ``--name``, and what stands behind each name."""
    marks = list(_NAMED.finditer(text))
    words = text[: marks[0].start()] if marks else text
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    fields = {
        mark["name"].lower().replace("-", "_"): text[mark.end() : end].strip()
        for mark, end in zip(marks, ends, strict=False)
    }
    return words.strip(), fields


async def _who_may(event: ChatEvent) -> Caller:
    """Return the caller, and whether Telegram lets them run the chat; a private one is theirs."""
    caller = event.caller
    if is_private(event.message):
        return replace(caller, manages_place=True)
    directory = TelegramDirectory(event.context.bot)
    place_id = caller.place.removeprefix(f"{PLATFORM}:")
    runs = await directory.is_run_by(place_id, [caller.requester.user_id])
    return replace(caller, manages_place=runs)


async def _save(command: StyleCommand) -> None:
    style = await command.place.save(command.words, command.given)
    told = {"name": style.name, "option": f"--{STYLE}"}
    await command.event.reply(command.event.texts.say("style_saved", **told))


async def _remove(command: StyleCommand) -> None:
    await command.place.remove(command.words)
    await command.event.reply(command.event.texts.say("style_removed", name=command.words))


async def _defaults(command: StyleCommand) -> None:
    event, chosen = command.event, dict[str, Any](command.given)
    chosen |= taken_back(chosen.pop(CLEAR, ""))
    if chosen:
        topic = event.caller.asker.channel if command.words.lower() == _TOPIC else ""
        await command.place.set_defaults(topic, chosen)
    kept = await command.place.read()
    await event.reply(defaults_text(event.texts, kept, lambda topic: f"{_TOPIC} {topic}"))


async def _export(command: StyleCommand) -> None:
    written = await command.place.export()
    with TemporaryDirectory() as folder:
        path = Path(folder) / FILE_NAME
        await asyncio.to_thread(path.write_text, written, "utf-8")
        event = command.event
        await reply_file(event.context, event.message, path, FILE_NAME, FILE_NAME)


async def _read_in(command: StyleCommand) -> None:
    """Keep the styles and defaults of the file above or below the command.

    Raises:
        StylesUnreadable: there is no file, or it is none of styles.
        StyleRefused, StyleUnknown: something in it is not possible.
    """
    await command.place.read_in(text_of(await _content(command.event)))
    names = [one.name for one in (await command.place.read()).styles]
    told = {"count": len(names), "names": ", ".join(names)}
    await command.event.reply(command.event.texts.say("styles_kept", **told))


async def _content(event: ChatEvent) -> bytes:
    replied = event.message.reply_to_message
    document = event.message.document or (replied.document if replied else None)
    if document is None:
        raise StylesUnreadable("—")
    if (document.file_size or 0) > MOST_BYTES:
        raise StylesUnreadable(f"> {MOST_BYTES // 1024} kB")
    try:
        file = await event.context.bot.get_file(document.file_id)
        return bytes(await file.download_as_bytearray())
    except TelegramError as error:
        raise StylesUnreadable(type(error).__name__) from error


_VERBS: dict[str, Callable[[StyleCommand], Awaitable[None]]] = {
    "save": _save,
    "remove": _remove,
    "defaults": _defaults,
    "export": _export,
    "import": _read_in,
}
