"""Renders docs/images/telegram-*.png from the messages of one run against the local Telegram.

    PYTHONPATH=. python bench/telegram_pictures.py --locale en --out docs/images
    PYTHONPATH=. python bench/telegram_pictures.py --locale de --out docs/images  # named -de

Words, buttons and stills come from what people sent and what the real client answered; only the
look of Telegram (colours, spacing) is drawn here. Needs Debian's chromium.
"""

import argparse
import asyncio
import base64
import html
import re
import tempfile
import time
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bench.chat_pictures import middle_of, moment, shoot
from bots.telegram.front import FRONT
from core.app.bootstrap import open_core
from core.app.serve import run_all
from core.demo.paint import DUSK, MORNING, NIGHT, coast, portrait
from core.demo.sounds import speech, write_samples
from core.settings import load_settings
from tests.support.platforms.telegram.server import TelegramServer
from tests.support.platforms.telegram.world import Chat, Stored

TOKEN = "4242:no-real-token"
PATIENCE_S = 600  # for a machine that others use as well
ANN, BEN = 501, 502
NAMES = {ANN: "Ann", BEN: "Ben"}
TITLES = {"en": ("Film club", "a group"), "de": ("Filmclub", "eine Gruppe")}
HOURS = (MORNING, DUSK, NIGHT)  # of the pictures of an album
WISHES = {
    "en": ("a red kite dances over the sea at sunset", "a paper boat in the rain", "a day passes"),
    "de": ("ein roter Drachen tanzt über dem Meer", "ein Papierboot im Regen", "ein Tag vergeht"),
}
STYLE = """
body{margin:0;padding:16px;display:flex;gap:16px;background:#fff;width:784px;align-items:stretch;
 font:15px/20px "Noto Sans","DejaVu Sans",sans-serif;color:#111}
section{width:384px;background:#d5e3c8;border-radius:14px;overflow:hidden}
header{background:#517da2;color:#fff;padding:9px 14px;font-weight:600} header small{display:block;
 font-weight:400;opacity:.8} main{padding:8px} article{max-width:318px;margin:6px 0}
article.me{margin-left:auto;max-width:270px;width:fit-content} p{margin:0;white-space:pre-wrap;
 overflow-wrap:anywhere;padding:7px 11px;background:#fff;border-radius:12px}
 .me p{background:#effdde}
p b{color:#3a7ab8;display:block;font-weight:600} p q{display:block;border-left:3px solid #3a7ab8;
 padding-left:7px;margin:2px 0 4px;color:#667;font-size:13px;quotes:none;white-space:nowrap;
 overflow:hidden;text-overflow:ellipsis} time{color:#3a7ab8} figure{margin:0;position:relative}
img{display:block;width:100%;border-radius:12px 12px 0 0} img.alone{border-radius:12px}
img+p,figure+p{border-radius:0 0 12px 12px} figure i{position:absolute;left:calc(50% - 14px);
 top:calc(50% - 20px);border:20px solid transparent;border-left:32px solid #fffd}
.album{display:flex;gap:2px} .album img{width:33%;border-radius:0} .album img:first-child{
 border-radius:12px 0 0 0} .album img:last-child{border-radius:0 12px 0 0}
.album+p{border-radius:0 0 12px 12px}
.row{display:flex;gap:4px;margin-top:4px} .row span{flex:1;background:#7c9a6acc;color:#fff;
 text-align:center;border-radius:8px;padding:6px 2px;font-size:14px;white-space:nowrap}
"""


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message as it stood."""

    who: str  # empty: the bot
    text: str  # with the markup that Telegram got
    stills: tuple[bytes, ...] = ()
    is_film: bool = False
    about: str = ""  # what it answers
    rows: tuple[tuple[str, ...], ...] = ()
    at: float = field(default_factory=time.time)  # when it stood so, epoch seconds


def of_person(message: dict[str, Any], *stills: bytes, text: str = "") -> Bubble:
    said = message.get("text") or message.get("caption") or text
    return Bubble(NAMES[message["from"]["id"]], html.escape(said), stills)


def of_bot(message: Stored, about: str = "") -> Bubble:
    keyboard = (message.payload.get("reply_markup") or {}).get("inline_keyboard") or []
    rows = tuple(tuple(button["text"] for button in row) for row in keyboard)
    film, photo = message.video, message.files.get("photo")
    stills = (middle_of(film),) if film else (photo,) if photo else ()
    return Bubble("", message.text, stills, bool(film), about, rows)


def render(columns: list[tuple[str, str, list[Bubble]]], locale: str) -> str:
    parts = [
        f"<section><header>{title}<small>{under}</small></header>"
        f"<main>{''.join(_bubble(item, locale) for item in bubbles)}</main></section>"
        for title, under, bubbles in columns
    ]
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><body>{''.join(parts)}"


def _bubble(item: Bubble, locale: str) -> str:
    about = f"<q>{html.escape(item.about)}</q>" if item.about else ""
    words = re.sub(
        r'<tg-time unix="(\d+)" format="r">.*?</tg-time>',
        lambda at: f"<time>{moment(int(at[1]) - item.at, locale)}</time>",
        item.text,
    )
    still = _stills(item, alone=not words)
    text = f"<p><b>{item.who or 'Clapper'}</b>{about}{words}</p>" if words else ""
    rows = "".join(
        f"<div class=row>{''.join(f'<span>{html.escape(label)}</span>' for label in row)}</div>"
        for row in item.rows
    )
    return f"<article class={'me' if item.who else 'bot'}>{still}{text}{rows}</article>"


def _stills(item: Bubble, *, alone: bool) -> str:
    pictures: list[str] = []
    for still in item.stills:
        source = base64.b64encode(still).decode()
        kind = "png" if still.startswith(b"\x89PNG") else "jpeg"
        shape = "alone" if alone else "top"
        pictures.append(f'<img class={shape} src="data:image/{kind};base64,{source}">')
    if len(pictures) > 1:
        return f"<div class=album>{''.join(pictures)}</div>"
    return f"<figure>{pictures[0]}<i></i></figure>" if item.is_film else "".join(pictures)


class People:
    """What Ann and Ben do, and what the bot answers."""

    def __init__(self, server: TelegramServer, locale: str) -> None:
        self.server = server
        self.world = server.world
        self.locale = locale

    def say(self, user: int, chat: Chat, **content: Any) -> dict[str, Any]:
        """Let a person of the picture's language send a message."""
        message = self.world.said(user, chat, **content)
        message["from"] |= self.about(user)
        return message

    def about(self, user: int) -> dict[str, str]:
        """What Telegram tells of a person."""
        return {"language_code": self.locale, "first_name": NAMES[user]}

    async def answer(self, to: dict[str, Any]) -> Stored:
        """The bot's answer to a message, once it says more than that it was heard."""

        def found() -> Stored | None:
            return next(
                (m for m in self.world.shown() if _answers(m, to) and len(m.text) > 20), None
            )

        return await self.world.until(found, PATIENCE_S)

    async def group(self) -> list[Bubble]:
        """A clip, the next one running, and a third in line."""
        kite, boat, _ = WISHES[self.locale]
        options = "--preset fast --seconds 4 --aspect 16:9"
        chat, shown = self.world.group(), []
        first = self.say(ANN, chat, text=f"/t2v {kite} {options} --seed 77")
        done = await self.answer(first)
        await self.world.until(lambda: done.video, PATIENCE_S)
        second = self.say(ANN, chat, text=f"/t2v {kite} {options}")
        running = await self.answer(second)
        third = self.say(BEN, chat, text=f"/t2v {boat}")
        waiting = await self.answer(third)
        await self.world.until(lambda: "▰▰" in running.text, PATIENCE_S)
        for said, answer in ((first, done), (second, running), (third, waiting)):
            shown += [of_person(said), of_bot(answer, said["text"])]
        await self.world.until(lambda: running.video and waiting.video, PATIENCE_S)
        return shown

    async def private(self, picture: bytes, sound: bytes) -> list[Bubble]:
        """A photo alone, then a voice message; then what was made so far."""
        chat = self.world.private(ANN)
        photo = self.say(ANN, chat, **self.server.photo(picture))
        asked = of_bot(await self.answer(photo))
        voice = self.say(ANN, chat, **self.server.file("voice", sound, "audio/ogg"))
        done = await self.answer(voice)
        await self.world.until(lambda: done.video, PATIENCE_S)
        history = self.say(ANN, chat, text="/history")
        listed = of_bot(await self.answer(history))
        return [
            of_person(photo, picture),
            asked,
            of_person(voice, text="▶ ıl|ıl|lı|ıl|lıl|ıl|lı  0:02"),
            of_bot(done),
            of_person(history),
            listed,
        ]

    async def album(self, pictures: list[bytes]) -> list[Bubble]:
        """An album of three, the question about it, and what the first button made."""
        chat = self.world.private(ANN)
        words: dict[str, Any] = {"caption": WISHES[self.locale][2]}
        parts = [
            self.say(ANN, chat, media_group_id="day", **self.server.photo(one), **more)
            for one, more in zip(pictures, (words, {}, {}), strict=True)
        ]
        question = await self.answer(parts[0])
        shown = [of_person(parts[0], *pictures), of_bot(question)]
        self.server.press(
            ANN, chat, question.id, question.button("mode=keyframe"), **self.about(ANN)
        )
        await self.world.until(lambda: question.deleted)
        done = await self.answer(parts[0])
        await self.world.until(lambda: done.video, PATIENCE_S)
        return [*shown, of_bot(done)]


def _answers(message: Stored, to: dict[str, Any]) -> bool:
    reply = message.payload.get("reply_parameters") or {}
    return reply.get("message_id") == to["message_id"]


async def played(server: TelegramServer, folder: Path, locale: str) -> dict[str, str]:
    """Run the service and let people use it; returns the page of each picture."""
    settings = load_settings(
        data_dir=folder / "data",
        executor="draft",
        telegram_token=SecretStr(TOKEN),
        allowed="everyone",
        telegram_api_url=server.url,
        telegram_private_edit_s=0.2,
        telegram_group_edit_s=0.2,
        progress_every_s=0.2,
        shutdown_grace_s=0.1,
        min_free_megabytes=0,
    )
    face, voice = BytesIO(), write_samples(folder / "voice.wav", speech(2.0))
    portrait(512, 512).save(face, "PNG")
    stop, ready = asyncio.Event(), asyncio.Event()
    people = People(server, locale)
    async with open_core(settings) as core:
        serving = asyncio.create_task(run_all(core, [FRONT], stop, lambda _: ready.set()))
        await ready.wait()
        private = await people.private(face.getvalue(), voice.read_bytes())
        group = await people.group()
        album = await people.album(day())
        stop.set()
        await serving
    pages = {
        "telegram-chat": [("Clapper", "bot", private), (*TITLES[locale], group)],
        "telegram-album": [("Clapper", "bot", album[:2]), ("Clapper", "bot", album[2:])],
    }
    return {name: render(columns, locale) for name, columns in pages.items()}


def day() -> list[bytes]:
    """Draw the coast at each hour."""
    drawn: list[bytes] = []
    for hour in HOURS:
        buffer = BytesIO()
        coast(hour, 640, 480).save(buffer, "PNG")
        drawn.append(buffer.getvalue())
    return drawn


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--locale", default="en", choices=sorted(TITLES))
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        async with TelegramServer(TOKEN) as server:
            pages = await played(server, Path(folder), chosen.locale)
    await shoot(pages, 816, chosen.out, "" if chosen.locale == "en" else f"-{chosen.locale}")


if __name__ == "__main__":
    asyncio.run(main())
