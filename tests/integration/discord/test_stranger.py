"""A stranger presses every button and uses every command about somebody else's job, in vain."""

import re

import pytest

from bots.discord.client import BUTTONS
from bots.discord.forms import FORMS
from bots.discord.remix import REMIX_ID
from core.domain.followups import Action

ANN, BEN = 501, 502
SECRET = "a purple walrus"
CHOICE = re.compile(r"\(\?P<\w+>(?P<values>[a-z|]+)\)")  # what an id says one of
OPEN = {Action.DETAILS, Action.REMIX}  # to who sees the clip where all see it


def custom_ids(job_id: str) -> list[str]:
    """An id for every button that the client knows, from its registry."""
    found = []
    for button in BUTTONS:
        text = button.__discord_ui_compiled_template__.pattern
        for name, value in (("job", job_id), ("page", "1"), ("handle", "a" * 32)):
            text = _filled(text, name, value)
        text = _filled(text, "entry", "discord:user:502")
        if "(?P<action>" in text:
            found += [_filled(text, "action", action) for action in Action]
        elif (choice := CHOICE.search(text)) is not None:
            found += [CHOICE.sub(one, text) for one in choice["values"].split("|")]
        else:
            found.append(text)
    return found


def _filled(text: str, name: str, value: str) -> str:
    start = text.find(f"(?P<{name}>")
    if start < 0:
        return text
    return text[:start] + value + text[text.index(")", start) + 1 :]


@pytest.mark.parametrize("private", [True, False])
async def test_no_button_of_a_stranger_shows_or_changes_anything(guild, private: bool) -> None:
    clip = await guild.clip(await guild.t2v(private=private, prompt=SECRET))
    job = await guild.job(clip)
    buttons = custom_ids(job.id)
    assert len(buttons) >= len(Action) + 6

    for custom_id in buttons:
        button = {"type": 2, "style": 2, "label": "x", "custom_id": custom_id}
        clip.payload["components"] = [{"type": 1, "components": [button]}]  # or nothing is heard
        pressed = await guild.server.press(clip.id, custom_id, BEN)
        await guild.world.until(lambda pressed=pressed: pressed.responses)
        if not private and custom_id.split(":")[1] in OPEN:  # what the message says is all there is
            assert pressed.modal is not None or guild.world.messages[pressed.original].ephemeral
            continue
        assert pressed.modal is None
        shown = guild.world.messages.get(pressed.original or 0)
        if shown is not None and shown.id != clip.id:
            await guild.world.until(lambda shown=shown: shown.content)
            assert shown.ephemeral, custom_id
            assert SECRET not in shown.content

    assert len(guild.world.with_video()) == 1
    assert (await guild.core.jobs.get(job.id)).clip is not None


async def test_no_command_of_a_stranger_tells_of_somebody_elses_job(guild) -> None:
    clip = await guild.clip(await guild.t2v(prompt=SECRET))
    job = await guild.job(clip)
    before = set(guild.world.messages)

    for command in list(guild.world.commands):
        names = [option["name"] for option in command.get("options", [])]
        if command.get("type", 1) != 1 or "prompt" in names:
            continue
        given = {"job": job.id} if "job" in names else {}
        subs = [o["name"] for o in command.get("options", []) if o["type"] == 1]
        for sub in subs or [""]:
            more = given | ({"job": job.id} if sub == "cancel" else {})
            if sub in {"grant", "block", "unblock", "import"}:
                continue  # need a person or a file; what they refuse is refused before
            if sub in {"save", "remove"}:
                more = {"style": "x"}
            if sub == "test":
                more = {"sentence": "x"}
            if sub == "takedown":
                more = {"post": job.id}
            name = f"{command['name']} {sub}".strip()
            asked = await guild.server.command(name, BEN, guild.channel, **more)
            answer = await guild.answered(asked)
            await guild.world.until(lambda answer=answer: answer.content)
            assert answer.ephemeral, name

    told = [m for number, m in guild.world.messages.items() if number not in before]
    assert all(SECRET not in m.content and not m.videos for m in told)
    offered = await guild.server.autocomplete("again", BEN, guild.channel, "job", "")
    assert offered == []


@pytest.mark.parametrize("private", [True, False])
async def test_no_form_of_a_stranger_shows_or_makes_anything(guild, private: bool) -> None:
    clip = await guild.clip(await guild.t2v(private=private, prompt=SECRET))
    job = await guild.job(clip)
    before = set(guild.world.messages)

    for ids in FORMS:
        text = ids.pattern
        for name, value in (("job", job.id), ("mode", "i2v"), ("form", "77")):
            text = _filled(text, name, value)
        assert ids.fullmatch(text), text
        if ids is REMIX_ID and not private:
            continue  # open to who sees the clip where all see it
        sent = await guild.server.forge(clip.id, text, BEN)
        answer = await guild.answered(sent)
        await guild.world.until(lambda answer=answer: answer.content)
        assert answer.ephemeral, text

    told = [m for number, m in guild.world.messages.items() if number not in before]
    assert all(SECRET not in m.content and not m.videos for m in told)
    assert len(guild.world.with_video()) == 1


@pytest.mark.parametrize("where", ["guild", "direct"])
async def test_nothing_that_is_offered_while_typing_tells_a_stranger_of_a_job(
    guild, where: str
) -> None:
    job = await guild.job(await guild.clip(await guild.t2v(prompt=SECRET, seed="5550123")))
    channel = guild.channel if where == "guild" else guild.world.direct(BEN)
    asked = 0
    for command in list(guild.world.commands):
        for option in command.get("options", []):
            if option.get("autocomplete"):
                asked += 1
                offered = await guild.server.autocomplete(
                    command["name"], BEN, channel, option["name"], ""
                )
                assert not any(
                    secret in str(offered) for secret in (SECRET, job.id[:8], "5550123")
                ), (command["name"], option["name"])
    assert asked > 5
