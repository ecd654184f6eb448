"""What a person sees in a message is found, and fetched from Discord alone."""

from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from bots.discord.menu_form import candidates
from bots.discord.message_media import files_in, is_served, words_in
from core.domain.file_types import never_accepted
from core.domain.media import MediaKind
from core.domain.modes import Mode
from core.errors import MediaNotShown

CDN = "https://cdn.discordapp.com/attachments/1/2"
PROXY = "https://images-ext-1.discordapp.net/external/abc/https/example.org"
PEOPLE = {"author": {"id": "1", "username": "x", "discriminator": "0", "avatar": None}}
PLAIN: dict[str, Any] = {"type": 0, "timestamp": "2026-01-01T00:00:00+00:00", "content": ""}
PLAIN |= {"edited_timestamp": None, "embeds": [], "attachments": [], "mentions": []}
PLAIN |= {"mention_roles": []}
REST = {"id": "777", "channel_id": "5", "tts": False, "mention_everyone": False, "pinned": False}


def message(**fields: Any) -> discord.Message:
    state = cast("Any", SimpleNamespace(_get_guild=lambda _: None, http=None, store_user=None))
    state.store_user = lambda data, cache=True: discord.User(state=state, data=data)
    channel = cast("Any", SimpleNamespace(id=5, guild=None, type=discord.ChannelType.text))
    data = cast("Any", {**PLAIN, **PEOPLE, **REST, **fields})
    return discord.Message(state=state, channel=channel, data=data)


def attached(name: str, content_type: str | None = None) -> dict[str, Any]:
    told = {} if content_type is None else {"content_type": content_type}
    url = f"{CDN}/{name}"
    return {"id": "9", "filename": name, "size": 10, "url": url, "proxy_url": url, **told}


def picture(name: str, proxied: bool = True) -> dict[str, Any]:
    url = {"url": f"https://example.org/{name}"}
    return {**url, "proxy_url": f"{PROXY}/{name}"} if proxied else url


SEEN: dict[str, dict[str, Any]] = {
    "attachment": {"attachments": [attached("a.png", "image/png")]},
    "no type": {"attachments": [attached("a.HEIC")]},
    "unfurled picture": {"embeds": [{"type": "image", "thumbnail": picture("cat")}]},
    "picture of a card": {"embeds": [{"type": "rich", "image": picture("cat.jpg")}]},
    "preview of a page": {"embeds": [{"type": "link", "thumbnail": picture("p.php")}]},
    "moving picture": {"embeds": [{"type": "gifv", "thumbnail": picture("c.gif"),
                                   "video": picture("c.mp4")}]},
    "film elsewhere": {"embeds": [{"type": "video", "thumbnail": picture("t.jpg"),
                                   "video": picture("embed/x", proxied=False)}]},
    "sticker": {"sticker_items": [{"id": "3", "name": "wave", "format_type": 1}]},
    "moving sticker": {"sticker_items": [{"id": "3", "name": "wave", "format_type": 2}]},
    "gif sticker": {"sticker_items": [{"id": "3", "name": "wave", "format_type": 4}]},
    "gallery": {"components": [{"type": 12, "items": [{"media": picture("g.png")}]}]},
    "gallery in a box": {"components": [{"type": 17, "components": [
        {"type": 12, "items": [{"media": picture("g.png")}]}]}]},
    "thumbnail beside words": {"components": [{"type": 9, "components": [
        {"type": 10, "content": "x"}], "accessory": {"type": 11, "media": picture("g.png")}}]},
}  # fmt: skip


@pytest.mark.parametrize("forwarded", [False, True], ids=["here", "forwarded"])
@pytest.mark.parametrize("fields", SEEN.values(), ids=SEEN)
def test_every_picture_that_is_seen_can_be_animated(
    fields: dict[str, Any], forwarded: bool
) -> None:
    shown = {"message_snapshots": [{"message": {**PLAIN, **fields}}]} if forwarded else fields

    best = candidates(Mode.I2V, files_in(message(**shown)))["image"][0]

    assert MediaKind.IMAGE in best.kinds
    assert is_served(best.url)
    assert not best.other_host
    assert never_accepted(best.content_type, best.name) is None


def test_a_film_that_discord_has_no_copy_of_is_told_by_its_host() -> None:
    seen = files_in(message(**SEEN["film elsewhere"]))

    assert [file.other_host for file in seen] == ["example.org", ""]
    assert candidates(Mode.STYLE, seen)["video"][0].other_host == "example.org"


def test_a_lottie_sticker_is_known_for_what_it_is() -> None:
    items = [{"id": "3", "name": "wave", "format_type": 3}]
    (file,) = files_in(message(sticker_items=items))

    assert never_accepted(file.content_type, file.name) == ("lottie", "fix_screenshot")
    with pytest.raises(MediaNotShown):
        candidates(Mode.LIPSYNC, [file])


def test_what_can_be_used_goes_before_what_cannot_and_nothing_is_listed_twice() -> None:
    lottie = {"id": "3", "name": "wave", "format_type": 3}
    twice = [attached("a.png", "image/png"), {**attached("a.png", "image/png"), "id": "10"}]
    seen = files_in(message(sticker_items=[lottie], attachments=twice))

    assert [file.name for file in candidates(Mode.I2V, seen)["image"]] == ["a.png", "wave.lottie"]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a.png",
        "https://cdn.discordapp.com.example.org/a.png",
        "https://example.org/cdn.discordapp.com/a.png",
        "https://cdn.discordapp.com@example.org/a.png",
        "https://evildiscordapp.com/a.png",
        "http://cdn.discordapp.com/a.png",
        "https://cdn.discordapp.com:8080/a.png",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "attachment://a.png",
        "https://[",
        "",
    ],
)
def test_an_address_that_is_not_discords_is_never_fetched(url: str) -> None:
    assert not is_served(url)
    embed = {"type": "image", "thumbnail": {"url": url, "proxy_url": url}}
    assert all(file.other_host for file in files_in(message(embeds=[embed])))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("look at this cat lol <:kek:123> <@55> https://example.org/x", "look at this cat lol"),
        ("**a** _red_ `kite` ~~not~~", "a red kite not"),
        ("the [old house](https://example.org) burns", "the old house burns"),
        ("see ||the secret|| here", "see here"),
        ("<a:party:99> </t2v:12> <t:1700000000:R> <#4> <@&7> dance", "dance"),
        ("<https://example.org/a>", ""),
        ("a < b and c > d", "a < b and c > d"),
    ],
)
def test_the_form_begins_with_the_words_alone(content: str, words: str) -> None:
    assert words_in(message(content=content)) == words
    snapshot = {"message": {**PLAIN, "content": content}}
    assert words_in(message(message_snapshots=[snapshot])) == words


def test_a_picture_under_a_veil_stays_under_it() -> None:
    link = "https://example.org/cat.png"
    embed = {"type": "image", "url": link, "thumbnail": picture("cat.png")}

    (open_one,) = files_in(message(content=link, embeds=[embed]))
    (veiled,) = files_in(message(content=f"||{link}||", embeds=[embed]))
    (attachment,) = files_in(message(attachments=[attached("SPOILER_a.png", "image/png")]))

    assert (open_one.spoiler, veiled.spoiler, attachment.spoiler) == (False, True, True)
