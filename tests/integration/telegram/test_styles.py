"""Named styles, defaults of a chat and wildcards, through the real client library."""

import pytest

from core.domain.people import Requester

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


async def with_styles(town) -> None:
    await says(town, "/styles save noir --before film noir")
    await says(town, "/styles save wide --after in a wide shot --aspect 16:9")


async def test_a_waiting_job_takes_a_style_by_a_button(town, small: str) -> None:
    await with_styles(town)
    town.executor.gate.clear()
    await says(town, f"/t2v first {small}")
    waiting = await says(town, f"/t2v a red kite {small}")
    await town.world.until(lambda: "styles" in str(waiting.callback_data()))
    before = (await town.core.jobs.in_order())[-1]

    town.tap(waiting, "v1:styles:")
    menu = await town.says("Which style?")
    assert [menu.label(one) for one in menu.callback_data()] == ["noir", "wide", "• No style"]
    town.tap(menu, menu.callback_data()[1])
    await town.world.until(lambda: menu.deleted)

    job = (await town.core.jobs.in_order())[-1]
    assert job.id != before.id
    assert job.request.style.name == "wide"
    assert job.request.prompt == "a red kite"
    assert job.request.sampling.seed == before.request.sampling.seed
    assert job.request.sampling.size.ratio > 1.5
    town.tap(waiting, "v1:styles:")
    again = await town.says("Which style?")
    assert "• wide" in [again.label(one) for one in again.callback_data()]
    town.tap(again, again.callback_data()[-1])
    await town.world.until(lambda: again.deleted)
    assert (await town.core.jobs.in_order())[-1].request.style is None
    town.executor.gate.set()


async def test_edit_of_a_clip_offers_its_chats_styles(town, small: str) -> None:
    await with_styles(town)
    clip = await town.clip(town.say(f"/t2v a red kite {small}"))
    town.tap(clip, "v1:edit:")
    menu = await town.says("Which style?")

    town.tap(menu, menu.callback_data()[0])
    await town.world.until(lambda: len(town.world.with_video()) == 2)

    old, new = await town.job(clip), await town.job(town.world.with_video()[-1])
    assert new.request.style.name == "noir"
    assert new.request.wording.prompt == "film noir, a red kite"
    assert new.request.sampling == old.request.sampling
    assert new.origin.parent_id == old.id


async def test_in_a_group_nobody_else_chooses_and_without_styles_nothing_is_offered(
    town, small: str
) -> None:
    group = town.world.group()
    plain = await town.clip(town.say(f"/t2v a kite {small}", chat=group))
    town.tap(plain, "v1:edit:")
    await town.says("What should happen", group.id)
    assert not [m for m in town.world.shown() if "Which style?" in m.text]

    group.managers = {OP}
    await says(town, "/styles save noir --before film noir", OP, group)
    town.tap(plain, "v1:edit:")
    menu = await town.says("Which style?", group.id)
    pressed = town.tap(menu, menu.callback_data()[0], BEN)
    await town.world.until(lambda: pressed in town.world.answers)

    assert town.world.answers[pressed]["show_alert"]
    assert len(await town.core.jobs.jobs_of(Requester("telegram", str(BEN)))) == 0
