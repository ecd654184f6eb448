"""Named styles, defaults of a chat and wildcards, through the real client library."""

import pytest

ANN, BEN, OP = 501, 502, 900
TOML = b'[style.noir]\nbefore = "film noir"\n[defaults]\nstyle = "noir"\n'


async def says(town, text: str, user: int = ANN, chat=None, **more):
    """The answer to a message."""
    return await town.answer(town.say(text, user, chat, **more))


async def test_who_runs_a_group_keeps_styles_and_members_choose_them(town, small: str) -> None:
    group = town.world.group()
    group.managers = {BEN}
    kept = await says(
        town, "/styles save Film noir --before film noir —after {dark|grim}", BEN, group
    )
    listed = await says(town, "/styles", ANN, group)

    clip = await town.clip(town.say(f"/t2v a red kite --style film noir {small}", chat=group))
    job = await town.job(clip)

    assert "Film noir" in kept.text
    assert "Film noir" in listed.text
    assert "--style" in listed.text
    assert job.request.prompt == "a red kite"
    assert job.request.wording.prompt.startswith("film noir, a red kite, ")
    refused = await says(town, f"/t2v a kite --style nor {small}", ANN, group)
    assert "Film noir" in refused.text


async def test_defaults_of_a_private_chat_are_its_persons(town, small: str) -> None:
    shown = await says(town, "/styles defaults --camera static --aspect 1:1")
    job = await town.job(await town.clip(town.say("/t2v a kite --preset fast --seconds 1")))
    taken = await says(town, "/styles defaults --clear all")

    assert "camera static" in shown.text
    assert "Nothing" in taken.text
    assert job.request.sampling.camera == "static"
    assert dict(job.request.chosen_by) == {"camera": "place", "aspect": "place"}
    other = await town.job(await town.clip(town.say(f"/t2v a kite {small}", BEN)))
    assert not other.request.chosen_by


async def test_a_file_brings_styles_and_goes_back_as_one(town, small: str) -> None:
    sent = town.server.file("document", TOML, "application/toml", file_name="x.toml")
    await says(town, "", ANN, caption="/styles import", **sent)
    job = await town.job(await town.clip(town.say(f"/t2v a kite {small}")))
    bad = town.server.file("document", b"[style.x]\nfps = 900", "text/plain", file_name="y.toml")
    refused = await says(town, "", ANN, caption="/styles import", **bad)
    none = await says(town, "/styles import")
    await says(town, "/styles export")

    assert job.request.wording.prompt == "film noir, a kite"
    assert "style.x" in refused.text
    assert "no file of styles" in none.text


@pytest.mark.parametrize("where", ["private", "group"])
async def test_a_stranger_changes_nothing(town, where: str) -> None:
    group = town.world.group() if where == "group" else None
    sent = town.server.file("document", TOML, "application/toml", file_name="x.toml")
    ahead = " " if where == "group" else " everywhere "  # a private chat is one's own

    for rest in ("save x --before y", "remove x", "defaults --preset draft", "export"):
        answer = await says(town, f"/styles{ahead}{rest}", BEN, group)
        assert "Only my operators" in answer.text, rest
    answer = await says(town, "", BEN, group, caption=f"/styles{ahead}import", **sent)

    assert "Only my operators" in answer.text
    assert await town.core.community.audit.entries() == []


async def test_edit_keeps_a_style_that_is_gone_since(town, small: str) -> None:
    await says(town, "/styles save noir --before film noir")
    clip = await town.clip(town.say(f"/t2v a {{red|red}} kite --style noir {small}"))
    await says(town, "/styles remove noir")

    town.tap(clip, "details")
    await town.says("film noir, a red kite")
    town.tap(clip, "edit")
    await town.says("What should")
    edited = await town.job(await town.clip(town.say("a boat")))

    assert edited.request.wording.prompt == "film noir, a boat"
    assert edited.request.style.name == "noir"
