"""A stranger presses every button and types every command of somebody else's, and learns nothing.

Commands and buttons come from the registries of the front, so that a new one is tried by itself.
"""

import pytest

from bots.telegram.buttons import _HANDLERS
from bots.telegram.option_parser import command_of
from bots.telegram.private_chat import BUTTON_AUDIENCES
from bots.telegram.user_commands import ACCOUNT
from core.domain.jobs import JobState
from core.domain.modes import Mode
from core.domain.options import OPTIONS

ANN, BEN = 501, 502
SECRET = "a purple walrus"


def presses(job_id: str) -> list[str]:
    """The data of every button that is about Ann or her job."""
    of_person = {"page": f"v1:page=1:{ANN}", "forget": f"v1:forget:{ANN}", "ask": f"v1:ask:{ANN}"}
    values = {"rather": Mode.I2V, "mode": Mode.T2V, "access": "allow.telegram:user:502"}
    values |= {"publish": "with", "report": "send", "answer": "takedown"}
    values |= {row.name: row.buttons[0] for row in OPTIONS.values() if row.buttons}
    found = []
    for action in sorted({*_HANDLERS, *BUTTON_AUDIENCES}):
        value = f"={values[action]}" if action in values else ""
        found.append(of_person.get(action, f"v1:{action}{value}:{job_id}"))
    return found


@pytest.mark.parametrize("where", ["private", "group"])
async def test_no_button_of_a_stranger_shows_or_changes_anything(
    town, small: str, where: str
) -> None:
    group = town.world.group() if where == "group" else None
    town.executor.gate.clear()
    message = await town.answer(town.say(f"/t2v {SECRET} {small}", chat=group))
    job = await town.in_state(JobState.RUNNING)
    await town.world.until(lambda: "first pass" in message.text)
    before = {m.key for m in town.world.shown()}

    for data in presses(job.id):
        query = town.server.press(BEN, town.world.chats[message.chat_id], message.id, data)
        await town.world.until(lambda query=query: query in town.world.answers)
    await town.answer(town.say("/help", BEN))

    told = [m for m in town.world.shown() if m.key not in before]
    if where == "group":  # a press is answered by a notice to the stranger alone
        assert {m.chat_id for m in told} <= {BEN}
    for text in [m.text for m in told] + [str(a) for a in town.world.answers.values()]:
        assert SECRET not in text
    now = await town.core.jobs.get(job.id)
    assert (now.requester.user_id, now.state) == (str(ANN), JobState.RUNNING)
    assert len(await town.core.jobs.in_order()) == 1


@pytest.mark.parametrize("where", ["private", "group"])
async def test_no_command_of_a_stranger_tells_of_somebody_elses_job(
    town, small: str, where: str
) -> None:
    clip = await town.clip(town.say(f"/t2v {SECRET} {small}"))
    job = await town.job(clip)
    chat = town.world.group() if where == "group" else None
    before = {m.key for m in town.world.shown()}

    for name in sorted({*ACCOUNT, "admin"}):
        assert command_of(f"/{name}", "clapper_bot") is not None
        links = (f" publish_{job.id}", f" report_{job.id}", f" remix_{job.id}_1_1")
        for rest in (
            *links,
            "",
            f" {job.id}",
            f" job_{job.id}",
            f" details_{job.id}",
            f" cancel {job.id}",
            f" takedown {job.id}",
            " feed here",
        ):
            await town.answer(town.say(f"/{name}{rest}", BEN, chat))

    told = [m for m in town.world.shown() if m.key not in before]
    assert all(SECRET not in m.text and m.video is None for m in told)
    assert (await town.core.jobs.get(job.id)).clip is not None
