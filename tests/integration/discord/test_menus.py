"""Animate and its like: a form with the words of a message, for everything that it shows."""

from typing import Any

import discord
import pytest

from bots.discord.menu_form import FRONT
from core.testing.doubles import eventually
from tests.support.platforms.discord.server import prefilled
from tests.support.platforms.faults import Fault

ANN, BEN = 501, 502
pytestmark = pytest.mark.sqlite  # speaks of messages; what is kept is a row like any other


async def nothing_kept(guild) -> bool:
    return await guild.core.community.state.recall_all(FRONT) == {}


def message(channel: Any, **fields: Any) -> dict[str, Any]:
    return {
        "id": "777",
        "channel_id": str(channel.id),
        "author": {"id": "1", "username": "x", "discriminator": "0", "avatar": None},
        "content": "look at this",
        "attachments": [],
        "type": 0,
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "embeds": [],
        "pinned": False,
        **fields,
    }


async def opened(guild, name: str, **fields: Any):
    asked = await guild.server.menu(name, ANN, guild.channel, message(guild.channel, **fields))
    await guild.world.until(lambda: asked.responses)
    return asked


def shown(asked: Any) -> dict[str, str]:
    """What stands in each field of a form."""
    labels = asked.modal["components"]
    return {one["component"]["custom_id"]: prefilled(one["component"]) for one in labels}


async def test_a_form_holds_the_words_of_the_message_and_makes_the_clip(guild) -> None:
    image, audio = guild.file("image"), guild.file("audio")
    asked = await opened(
        guild, "Lipsync this", attachments=[audio, image], content="she **speaks** <@5> https://x.y"
    )

    assert shown(asked)["prompt"] == "she speaks"
    assert await guild.core.jobs.in_order() == []
    sent = await guild.server.submit(asked, ANN, {"prompt": "she whispers", "seconds": "1"})
    clip = await guild.clip(sent)

    job = await guild.job(clip)
    assert (job.request.mode, job.request.prompt) == ("lipsync", "she whispers")
    assert set(job.request.media()) == {"image", "audio"}
    assert not clip.ephemeral
    await eventually(lambda: nothing_kept(guild))


async def test_what_is_seen_but_not_attached_is_animated_from_discords_copy(
    guild, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = guild.file("image")
    copy = {"url": "https://example.org/cat.png", "proxy_url": image["url"]}
    snapshot = message(guild.channel, content="far away", attachments=[image])
    ways = {
        "unfurled": {"embeds": [{"type": "image", "thumbnail": copy}]},
        "card": {"embeds": [{"type": "rich", "image": copy}]},
        "sticker": {"sticker_items": [{"id": "3", "name": "wave", "format_type": 1}]},
        "forwarded": {"message_snapshots": [{"message": snapshot}], "content": ""},
        "gallery": {"components": [{"type": 12, "items": [{"media": copy}]}]},
    }
    monkeypatch.setattr(discord.Asset, "BASE", f"{guild.server.rest.base_url}/cdn")
    guild.world.uploads["stickers/3.png"] = guild.world.uploads[image["url"].split("/cdn/")[1]]

    for where, fields in ways.items():
        asked = await opened(guild, "Animate", **fields)
        words = "far away" if where == "forwarded" else "look at this"
        assert shown(asked)["prompt"] == words, where
        clip = await guild.clip(await guild.server.submit(asked, ANN, {"seconds": "1"}))
        assert (await guild.job(clip)).request.mode == "i2v", where


async def test_what_cannot_be_used_is_said_before_a_form_opens(guild) -> None:
    lottie = {"id": "3", "name": "w", "format_type": 3}
    foreign = {"type": "image", "thumbnail": {"url": "https://a.example/cat.png"}}
    for fields, words in (
        ({}, "I see none in that message"),
        ({"sticker_items": [lottie]}, "Lottie"),
        ({"embeds": [foreign]}, "a.example"),
    ):
        asked = await opened(guild, "Animate", **fields)
        assert asked.modal is None
        assert words in await guild.refusal()


async def test_nothing_is_fetched_from_the_site_of_a_stranger(guild) -> None:
    copy = {"url": f"{guild.server.rest.base_url}/cdn/none", "proxy_url": ""}
    before = len(guild.world.requests)
    await opened(guild, "Animate", embeds=[{"type": "image", "thumbnail": copy}])

    assert not [path for _, path in guild.world.requests[before:] if "/cdn/" in path]


async def test_of_several_pictures_one_is_chosen(guild) -> None:
    first, second = guild.file("image"), {**guild.file("image"), "filename": "second.png"}
    asked = await opened(guild, "Animate", attachments=[first, second])

    assert shown(asked)["file_image"] == "1"
    guild.server.faults.add(Fault("GET", first["url"].partition("/cdn/")[2], status=404))
    sent = await guild.server.submit(asked, ANN, {"file_image": "2", "seconds": "1"})
    assert (await guild.clip(sent)).videos


async def test_a_veiled_picture_becomes_a_veiled_clip(guild) -> None:
    image = {**guild.file("image"), "filename": "SPOILER_a.png"}
    asked = await opened(guild, "Animate", attachments=[image])
    clip = await guild.clip(await guild.server.submit(asked, ANN, {"seconds": "1"}))

    assert all(name.startswith("SPOILER_") for name in clip.files)


async def test_a_veiled_picture_of_a_command_becomes_a_veiled_clip(guild) -> None:
    image = {**guild.file("image"), "filename": "SPOILER_a.png"}
    options = {"preset": "fast", "seconds": 1.0, "width": 256, "height": 256}
    asked = await guild.server.command(
        "i2v", ANN, guild.channel, {"image": image}, prompt="x", **options
    )
    assert all(name.startswith("SPOILER_") for name in (await guild.clip(asked)).files)


async def test_what_one_person_alone_sees_is_animated_for_them_alone(guild) -> None:
    asked = await opened(guild, "Animate", attachments=[guild.file("image")], flags=64)
    clip = await guild.clip(await guild.server.submit(asked, ANN, {"seconds": "1"}))
    assert clip.ephemeral


async def test_more_bytes_than_allowed_are_refused_though_nobody_said_how_many(guild) -> None:
    image = guild.file("image")
    path = image["url"].split("/cdn/")[1]
    limit = guild.core.users.media_limits.image_bytes
    guild.world.uploads[path] = (b"\x89PNG\r\n\x1a\n" + bytes(limit), "image/png")
    copy = {"url": "https://example.org/cat.png", "proxy_url": image["url"]}
    asked = await opened(guild, "Animate", embeds=[{"type": "image", "thumbnail": copy}])
    await guild.server.submit(asked, ANN, {"seconds": "1"})

    assert "at most" in await guild.refusal()


async def test_a_form_works_after_a_restart_once_and_for_its_person_alone(guild) -> None:
    asked = await opened(guild, "Animate", attachments=[guild.file("image")])
    await guild.stop()
    await guild.start()

    await guild.server.submit(asked, BEN, {"seconds": "1"})
    assert "too old" in await guild.refusal()
    await guild.clip(await guild.server.submit(asked, ANN, {"seconds": "1"}))
    await guild.server.submit(asked, ANN, {"seconds": "1"})
    await guild.world.until(lambda: sum("too old" in m.content for m in guild.world.shown()) == 2)
    assert len(guild.world.with_video()) == 1


async def test_a_form_goes_when_its_person_is_forgotten(guild) -> None:
    await opened(guild, "Animate", attachments=[guild.file("image")])
    assert len(await guild.core.community.state.recall_all(FRONT)) == 1

    await guild.core.users.forget(guild.person(ANN))

    assert await guild.core.community.state.recall_all(FRONT) == {}
