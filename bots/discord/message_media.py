"""Find every picture, sound and film that a person sees in a message, and its words.

What is attached, what components show, what links were unfurled to, stickers, and all of that again
in a message that was forwarded. Only what Discord itself serves is fetched: of a stranger's address
there is Discord's copy or nothing.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

import discord
import discord.http
import yarl

from bots.discord.served_files import ServedFile
from bots.discord.typed_words import CODES
from core.domain.file_types import likely_kinds
from core.domain.media import MediaKind

HOSTS = ("discordapp.com", "discordapp.net", "discord.com")  # and below; Discord's own
LOTTIE = "image/x-lottie"  # a drawing as numbers, which no slot takes
_UNKNOWN = {MediaKind.IMAGE: "image/unknown", MediaKind.VIDEO: "video/unknown"}
_SECRET = re.compile(r"\|\|.+?\|\|", re.DOTALL)  # what is hidden until it is clicked
_LINK = re.compile(r"<?https?://[^\s>]+>?", re.IGNORECASE)
_MASKED = re.compile(r"\[([^\]\n]+)\]\(<?https?://[^)\s]+\)")  # words that are a link
Shown = discord.Message | discord.MessageSnapshot


def is_served(url: str) -> bool:
    """Tell whether Discord serves an address; the API of the settings counts as Discord."""
    try:
        parsed = yarl.URL(url)
        if parsed.origin() == yarl.URL(discord.http.Route.BASE).origin():
            return True
    except ValueError:
        return False
    host = parsed.host or ""
    own = any(host == one or host.endswith(f".{one}") for one in HOSTS)
    return parsed.scheme == "https" and own and parsed.explicit_port in {None, 443}


def files_in(message: discord.Message) -> list[ServedFile]:
    """List what a person sees in ``message``, each once, in its order."""
    found: dict[str, ServedFile] = {}
    for shown in (message, *message.message_snapshots):
        for file in _files(shown):
            found.setdefault(str(yarl.URL(file.url).with_query(None)), file)
    return list(found.values())


def words_in(message: discord.Message) -> str:
    """Return what a message says: no links, mentions, emoji of servers, markup or secrets."""
    for shown in (message, *message.message_snapshots):
        text = _SECRET.sub(" ", shown.content)
        text = CODES.sub(" ", _LINK.sub(" ", _MASKED.sub(r"\1", text)))
        if words := " ".join(discord.utils.remove_markdown(text).split()):
            return words
    return ""


def _files(shown: Shown) -> Iterator[ServedFile]:
    yield from (ServedFile.of(one) for one in shown.attachments)
    # the library leaves the attribute away where Discord sent none
    yield from _in_components(getattr(shown, "components", ()), spoiler=False)
    secrets = _SECRET.findall(shown.content)
    for embed in shown.embeds:
        yield from _in_embed(embed, spoiler=any(embed.url and embed.url in one for one in secrets))
    yield from (_sticker(one) for one in shown.stickers)


def _in_components(components: Iterable[Any], *, spoiler: bool) -> Iterator[ServedFile]:
    """Walk through galleries, files and thumbnails, also those in sections and containers."""
    for one in components:
        hidden = spoiler or bool(getattr(one, "spoiler", False))
        for item in (*getattr(one, "items", ()), *([one] if hasattr(one, "media") else [])):
            veiled = hidden or bool(getattr(item, "spoiler", False))
            file = _unfurled(
                item.media.url, item.media.proxy_url, item.media.content_type, None, spoiler=veiled
            )
            yield from file
        inner = [*getattr(one, "children", ()), getattr(one, "accessory", None)]
        yield from _in_components([part for part in inner if part], spoiler=hidden)


def _in_embed(embed: discord.Embed, *, spoiler: bool) -> Iterator[ServedFile]:
    for media, kind in (
        (embed.video, MediaKind.VIDEO),
        (embed.image, MediaKind.IMAGE),
        (embed.thumbnail, MediaKind.IMAGE),
    ):
        if media.url:
            yield from _unfurled(media.url, media.proxy_url, None, kind, spoiler=spoiler)


def _unfurled(
    url: str, proxy_url: str | None, content_type: str | None, kind: MediaKind | None, *,
    spoiler: bool,
) -> Iterator[ServedFile]:  # fmt: skip
    """Describe what a link leads to, by Discord's copy of it."""
    served = next((one for one in (proxy_url, url) if one and is_served(one)), "")
    try:
        there = yarl.URL(url)
    except ValueError:
        return
    name = PurePosixPath(there.path).name
    told = content_type or ""
    if kind is not None and not told and kind not in _by_name(name):
        told = _UNKNOWN[kind]
    other = "" if served else there.host or url[:60]
    if served or there.scheme in {"http", "https"}:
        yield ServedFile(served or url, name, told, spoiler=spoiler, other_host=other)


def _by_name(name: str) -> tuple[MediaKind, ...]:
    kinds = likely_kinds(None, name)
    return () if len(kinds) == len(MediaKind) else kinds


def _sticker(sticker: discord.StickerItem) -> ServedFile:
    lottie = sticker.format is discord.StickerFormatType.lottie
    name = f"{sticker.name}.{'lottie' if lottie else sticker.format.file_extension}"
    return ServedFile(sticker.url, name, LOTTIE if lottie else "")
