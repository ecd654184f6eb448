"""Every way to ask, through the real client, to the posted clip."""

import pytest

from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS
from core.domain.presets import Preset
from core.i18n.messages import DEFAULT_LANGUAGE, languages
from core.testing.jobs import submit_request

ANN, BEN, OP = 501, 502, 900


@pytest.mark.parametrize("mode", MODES)
async def test_each_command_ends_in_one_clip_with_sound_parameters_and_buttons(
    guild, read_job, mode: Mode
) -> None:
    files = {slot.role: guild.file(slot.kind) for slot in MODES[mode].slots}

    asked = await guild.server.command(
        mode,
        ANN,
        guild.channel,
        files,
        prompt="a red kite",
        preset="fast",
        seconds=1.0,
        width=256,
        height=256,
        seed="77",
    )
    message = await guild.clip(asked)

    job = await guild.core.jobs.get(read_job(message.videos[0]))
    assert job.request.mode == mode
    assert set(job.request.media()) == set(files)
    assert job.requester.user_id == str(ANN)
    assert "seed 77" in message.content
    assert "AI-generated" in message.content
    assert len(guild.world.with_video()) == 1
    assert {f"job:{name}:{job.id}" for name in ("again", "longer", "details")} <= set(
        message.custom_ids()
    )
    assert message.payload.get("embeds") in (None, [])


async def test_only_the_unprivileged_guilds_intent_is_asked_for(guild) -> None:
    assert [hello["intents"] for hello in guild.server.gateway.identified] == [1]


async def test_commands_are_localisable_complete_and_synced_once(guild) -> None:
    names = {command["name"] for command in guild.world.commands}

    assert guild.world.syncs == 1
    assert set(MODES) <= names
    assert {"queue", "cancel", "history", "again", "quota", "forget", "help", "admin"} <= names
    assert {"Animate", "Lipsync this", "Restyle this"} <= names
    lipsync = next(c for c in guild.world.commands if c["name"] == "lipsync")
    assert [o["name"] for o in lipsync["options"] if o.get("required")] == ["image", "audio"]
    seconds = next(o for o in lipsync["options"] if o["name"] == "seconds")
    assert (seconds["min_value"], seconds["max_value"]) == (1.0, 20.0)
    assert set(lipsync["contexts"]) == {0, 1, 2}
    assert set(lipsync["integration_types"]) == {0, 1}


def named(items: list[dict], name: str) -> dict:
    return next(item for item in items if item["name"] == name)


async def test_commands_options_choices_and_menus_have_names_of_every_language(guild) -> None:
    """The server has refused names that Discord would refuse (tests.support.platforms)."""
    lipsync = named(guild.world.commands, "lipsync")
    history, admin = (named(guild.world.commands, name) for name in ("history", "admin"))
    camera = named(lipsync["options"], "camera")
    cancel = named(admin["options"], "cancel")

    assert history["name_localizations"] == {"de": "verlauf", "pl": "historia"}
    assert named(lipsync["options"], "image")["name_localizations"] == {"de": "bild", "pl": "obraz"}
    assert cancel["name_localizations"] == {"de": "abbrechen", "pl": "anuluj"}
    assert named(camera["choices"], "dolly in")["value"] == "dolly_in"
    assert named(camera["choices"], "dolly in")["name_localizations"]["pl"] == "najazd"
    menu = named(guild.world.commands, "Restyle this")
    assert menu["name_localizations"] == {"de": "Look übertragen", "pl": "Zmień styl"}


@pytest.mark.parametrize("language", [one for one in languages() if one != DEFAULT_LANGUAGE])
async def test_every_name_and_description_is_in_every_language(guild, language: str) -> None:
    def lacking(item: dict) -> list[str]:
        own = [
            f"{field} of {item['name']}"
            for field in ("name", "description")
            if item.get(field) and language not in (item.get(f"{field}_localizations") or {})
        ]
        inner = [*item.get("options", []), *item.get("choices", [])]
        return own + [found for part in inner for found in lacking(part)]

    missing = {found for command in guild.world.commands for found in lacking(command)}

    # presets and numbers are called so in every text and language
    verbatim = {
        choice for option in OPTIONS.values() for choice in option.choices if option.verbatim
    }
    assert missing <= {f"name of {choice}" for choice in {*verbatim, *Preset}}


async def test_a_german_reader_is_told_the_german_names_and_may_use_them(guild) -> None:
    assert "/text-zu-video" in (await guild.history(ANN, locale="de")).content

    asked = await guild.server.command("help", ANN, guild.channel, locale="de")
    told = (await guild.answered(asked)).content
    known = {c["name_localizations"]["de"] for c in guild.world.commands}
    assert {word.strip("/:,.") for word in told.split() if word[0] == "/"} <= known


async def test_sizes_that_were_adjusted_are_said(guild) -> None:
    guild.executor.gate.clear()

    asked = await guild.t2v(width=1280, height=720)
    message = await guild.answered(asked)

    await guild.world.until(lambda: "1280×720 becomes 1280×704" in message.content)


async def test_status_shows_place_in_line_and_then_progress(guild) -> None:
    guild.executor.gate.clear()
    first = await guild.t2v()
    await guild.executor.started.wait()
    second = await guild.t2v(user=BEN)
    waiting = await guild.answered(second)
    running = await guild.answered(first)

    await guild.world.until(lambda: "next in line" in waiting.content)
    await guild.world.until(lambda: "first pass" in running.content)
    assert "<t:" in running.content
    guild.executor.gate.set()
    await guild.clip(second)


async def test_a_private_answer_is_seen_by_one_person(guild) -> None:
    asked = await guild.t2v(private=True)

    message = await guild.clip(asked)

    assert message.ephemeral


async def test_a_spoiler_is_veiled(guild) -> None:
    message = await guild.clip(await guild.t2v(spoiler=True))

    assert all(name.startswith("SPOILER_") for name in message.files)


async def test_autocomplete_offers_aspects_and_recent_seeds(guild) -> None:
    await guild.clip(await guild.t2v(seed="123456789012345678"))

    aspects = await guild.server.autocomplete("t2v", ANN, guild.channel, "aspect", "16")
    seeds = await guild.server.autocomplete("t2v", ANN, guild.channel, "seed", "")
    foreign = await guild.server.autocomplete("t2v", BEN, guild.channel, "seed", "")

    assert [choice["value"] for choice in aspects] == ["16:9", "9:16"]
    assert [choice["value"] for choice in seeds] == ["123456789012345678"]
    assert foreign == []


async def test_direct_messages_work(guild) -> None:
    guild.channel = guild.world.direct(ANN)

    message = await guild.clip(await guild.t2v())

    assert message.videos


async def test_the_same_interaction_twice_is_one_job(guild, read_job) -> None:
    guild.executor.gate.clear()
    asked = await guild.t2v()
    await guild.executor.started.wait()
    job = await guild.newest_job()

    again = await submit_request(
        guild.core, job.request, job.requester, job.reply_to, f"discord:{asked.id}"
    )

    assert again.duplicate
    assert again.job_id == job.id
