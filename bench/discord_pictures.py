"""Renders docs/images/discord-*.png from the messages of one run against the local Discord.

    PYTHONPATH=. python bench/discord_pictures.py --locale en-US --out docs/images
    PYTHONPATH=. python bench/discord_pictures.py --locale de --out docs/images  # named -de

Text, buttons, file names and the still come from what the real client sent; only the look of
Discord (colours, spacing) is drawn here. Needs Debian's chromium.
"""

import argparse
import asyncio
import base64
import html
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bench.chat_pictures import middle_of, moment, shoot
from bots.discord.front import FRONT
from core.app.bootstrap import open_core
from core.app.serve import run_all
from core.settings import load_settings
from tests.support.platforms.discord.server import DiscordServer
from tests.support.platforms.discord.world import Channel, Interaction, Stored

ANN, BEN, OPERATOR = 501, 502, 900
NAMES = {ANN: "ann", BEN: "ben"}
ROW, BUTTON, SECTION, TEXT, THUMBNAIL = 1, 2, 9, 10, 11  # Discord's numbers of components
WORDS = {
    "en-US": (
        "{} used {}",
        "Only you can see this",
    ),
    "de": (
        "{} hat {} benutzt",
        "Nur du kannst das sehen",
    ),
}
PROMPTS = {
    "en-US": "A red kite dances over the sea at sunset",
    "de": "Ein roter Drachen tanzt bei Sonnenuntergang über dem Meer",
}
STYLE = """
body{background:#313338;color:#dbdee1;font:16px/22px "Noto Sans","DejaVu Sans",sans-serif;
 width:560px;margin:0;padding:12px 16px}
article{display:grid;grid-template-columns:52px 1fr;padding:12px 0;border-bottom:1px solid #3f4147}
article:last-child{border:0} .me{width:38px;height:38px;border-radius:50%;background:#5865f2;
 margin-top:20px} .used{font-size:13px;color:#949ba4} .used b{color:#00a8fc;font-weight:400}
.who{font-weight:600;color:#f2f3f5} .app{background:#5865f2;color:#fff;border-radius:4px;
 font-size:11px;padding:1px 5px;margin-left:4px;font-weight:400} p{margin:2px 0 6px}
time{background:#3f4147;border-radius:3px;padding:0 2px} figure{margin:4px 0;position:relative}
img{width:460px;border-radius:8px;display:block} figure i{position:absolute;left:205px;top:108px;
 border:22px solid transparent;border-left:34px solid #fffd} small{color:#949ba4;font-size:12px}
button{border:0;border-radius:4px;padding:7px 14px;margin:0 8px 8px 0;color:#fff;font:14px/18px
 inherit;background:#4e5058} .s1{background:#5865f2} .s4{background:#da373c}
.four{display:grid;grid-template-columns:226px 226px;gap:4px} .four img{width:226px}
.four figure{margin:0} .four i{left:96px;top:46px} .four small{display:none}
.entry{display:flex;gap:12px;justify-content:space-between;margin:4px 0}
.entry img{width:86px;height:86px}
code{background:#2b2d31;border-radius:4px;padding:2px 4px;font-size:14px}
.feed{color:#f2f3f5;font-weight:600;padding-bottom:4px}
"""


@dataclass(frozen=True, slots=True)
class Card:
    """One message as it stood, and how it came about."""

    payload: dict[str, Any]
    files: dict[str, bytes]
    ephemeral: bool
    user: int
    command: str  # shown above an answer to a command; a pressed button shows nothing
    channel: str  # shown where it is another one
    at: float  # when it stood so, epoch seconds


def card(message: Stored, user: int, command: str = "", channel: str = "") -> Card:
    payload, files = dict(message.payload), dict(message.files)
    return Card(payload, files, message.ephemeral, user, command, channel, time.time())


def render(cards: list[Card], locale: str) -> str:
    used, only_you = WORDS[locale]
    parts: list[str] = []
    for item in cards:
        above = used.format(NAMES[item.user], f"<b>{item.command}</b>") if item.command else ""
        parts_below = item.payload.get("components") or []
        below = "".join(_part(part, item, locale) for part in parts_below)
        films = [_film(name, data) for name, data in item.files.items() if name.endswith(".mp4")]
        shape = "four" if len(films) > 1 else "one"
        place = f"<div class=feed># {item.channel}</div>" if item.channel else ""
        note = f"<small>{only_you}</small>" if item.ephemeral else ""
        parts.append(
            f"<article><div class=me></div><div>{place}<div class=used>{above}</div>"
            f"<span class=who>Clapper</span><span class=app>APP</span>"
            f"<p>{_text(item.payload.get('content') or '', item.at, locale)}</p>"
            f"<div class={shape}>{''.join(films)}</div>{below}{note}</div></article>"
        )
    return f"<meta charset=utf-8><style>{STYLE}</style><body>{''.join(parts)}"


def _part(part: dict[str, Any], item: Card, locale: str) -> str:
    """Draw a component: a row of buttons, words, or words beside a still."""
    if part["type"] == ROW:
        return f"<div>{''.join(_button(one) for one in part['components'])}</div>"
    if part["type"] == TEXT:
        return f"<p>{_text(part['content'], item.at, locale)}</p>"
    if part["type"] == SECTION:
        words = "".join(_part(one, item, locale) for one in part["components"])
        return f"<div class=entry><div>{words}</div>{_part(part['accessory'], item, locale)}</div>"
    if part["type"] == THUMBNAIL:
        still = item.files[part["media"]["url"].removeprefix("attachment://")]
        return f"<img src=data:image/jpeg;base64,{base64.b64encode(still).decode()}>"
    return ""


def _text(content: str, at: float, locale: str) -> str:
    plain = re.sub(r"\\([*_~`|>#.()\[\]-])", r"\1", content)
    plain = re.sub(r"<@(\d+)>", lambda who: f"@{NAMES.get(int(who[1]), 'somebody')}", plain)
    plain = re.sub(r"<#\d+>|#channel-\d+", "#clips", plain)  # the server names channels so
    escaped = html.escape(plain).replace("\n", "<br>")
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)

    def shown(found: re.Match[str]) -> str:
        return f"<time>{moment(int(found[1]) - at, locale)}</time>"

    return re.sub(r"&lt;t:(\d+):R&gt;", shown, escaped)


def _button(part: dict[str, Any]) -> str:
    if part["type"] != BUTTON:  # a menu
        return f"<button>{html.escape(part.get('placeholder') or '')} ▾</button>"
    return f"<button class=s{part['style']}>{html.escape(part['label'])}</button>"


def _film(name: str, data: bytes) -> str:
    source = base64.b64encode(middle_of(data)).decode()
    return f"<figure><img src=data:image/jpeg;base64,{source}><i></i></figure><small>{name}</small>"


async def run(
    server: DiscordServer, channel: Channel, feed: Channel, locale: str
) -> dict[str, list[Card]]:
    """Let two people use the service; returns the cards of each picture."""
    name = {c["name"]: (c["name_localizations"] or {}) for c in server.world.commands}

    def shown(command: str) -> str:
        return "/" + name[command].get(locale.split("-", maxsplit=1)[0], command)

    async def ask(command: str, user: int, **options: Any) -> Stored:
        asked = await server.command(command, user, channel, locale=locale, **options)
        return await answered(asked)

    async def answered(asked: Interaction) -> Stored:
        await server.world.until(
            lambda: asked.original and server.world.messages[asked.original].content
        )
        return server.world.messages[asked.original or 0]

    prompt = PROMPTS[locale]
    t2v = {"prompt": prompt, "preset": "fast", "seconds": 6.0, "aspect": "16:9"}
    chosen = await server.command("admin feed", OPERATOR, channel, channels={"channel": feed})
    assert "#" in (await answered(chosen)).content, "the feed is chosen"
    done = await ask("t2v", ANN, **t2v, seed="77")
    await server.world.until(lambda: done.videos, 900)
    pressed = await server.press(done.id, done.button(":details:"), ANN, locale)
    account = [card(await answered(pressed), ANN)]
    for command in ("history", "quota"):
        account.append(card(await ask(command, ANN), ANN, shown(command)))
    running = await ask("t2v", ANN, **t2v)
    waiting = await ask("t2v", BEN, **t2v)
    await server.world.until(lambda: "▰▰" in running.content, 900)
    status = [
        card(message, user, shown("t2v"))
        for message, user in ((waiting, BEN), (running, ANN), (done, ANN))
    ]
    await server.world.until(lambda: running.videos and waiting.videos, 900)
    four = await ask("t2v", ANN, prompt=prompt, seconds=3.0, drafts="4", seed="5")
    await server.world.until(lambda: len(four.videos) == 4, 900)
    offered = await answered(await server.press(done.id, done.button(":publish:"), ANN, locale))
    offer = card(offered, ANN)
    await server.press(offered.id, offered.button("feed:publish:"), ANN, locale)
    (post,) = await server.world.until(lambda: server.world.with_video(feed.id), 900)
    shared = [card(four, ANN, shown("t2v")), offer, card(post, ANN, channel="clips")]
    return {"discord-status": status, "discord-account": account, "discord-feed": shared}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--locale", default="en-US", choices=sorted(WORDS))
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        async with DiscordServer() as server:
            server.world.guild_locale = chosen.locale
            channel, feed = server.world.guild(2)  # there before the client connects
            settings = load_settings(
                data_dir=Path(folder) / "data",
                executor="draft",
                discord_token=SecretStr("no-real-token"),
                allowed="everyone",
                operators=f"discord:{OPERATOR}",
                discord_api_url=server.api_url,
                discord_gateway_url=server.gateway_url,
                discord_edit_s=0.2,
                progress_every_s=0.2,
                shutdown_grace_s=0.1,
                min_free_megabytes=0,
            )
            stop, ready = asyncio.Event(), asyncio.Event()
            async with open_core(settings) as core:
                serving = asyncio.create_task(
                    run_all(core, [FRONT], stop, lambda said: "ready" in said and ready.set())
                )
                await ready.wait()
                cards = await run(server, channel, feed, chosen.locale)
                pages = {name: render(items, chosen.locale) for name, items in cards.items()}
                stop.set()
                await serving
    await shoot(pages, 592, chosen.out, "" if chosen.locale == "en-US" else f"-{chosen.locale}")


if __name__ == "__main__":
    asyncio.run(main())
