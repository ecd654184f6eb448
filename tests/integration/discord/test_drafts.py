"""Four drafts come as one message, from which one is finished."""

import re

from core.domain.jobs import JobState
from tests.support.jobs import until_ended

ANN = 501
PRICED = re.compile(r"(.+) · (under 1 s|[0-9]+ s)")  # an estimate, which learns


async def test_four_drafts_are_one_message_with_a_button_to_finish_each(guild) -> None:
    asked = await guild.t2v(prompt="a red kite", preset=None, drafts="4", seed="5")
    message = await guild.clip(asked)
    jobs = await guild.core.jobs.jobs_of(guild.person(ANN).requester)

    assert len(jobs) == 4
    assert len(message.videos) == 4
    assert message.content.startswith("`a red kite`\nby <@501>")
    for number, job in enumerate(reversed(jobs), 1):
        assert f"{number}. seed {4 + number}" in message.content
        assert message.button(f":quality:{job.id}")
        assert PRICED.fullmatch(message.label(f":quality:{job.id}"))[1] == f"Finish {number}"
    assert PRICED.fullmatch(message.label(":again:"))[1] == "Again"
    assert len(guild.world.with_video()) == 1

    third = jobs[1]
    finishing = await guild.server.press(message.id, message.button(f":quality:{third.id}"), ANN)
    finished = await guild.job(await guild.clip(finishing))
    assert finished.request.sampling.seed == third.request.sampling.seed
    assert finished.request.sampling.preset == "balanced"
    assert finished.group is None


async def test_cancel_under_drafts_cancels_all_of_them(guild) -> None:
    guild.executor.gate.clear()
    message = await guild.answered(await guild.t2v(preset=None, drafts="4"))
    await guild.world.until(lambda: any(":cancel:" in name for name in message.custom_ids()))

    def priced() -> bool:
        return any("4 drafts, about 1 s" in str(state.get("content")) for state in message.states)

    await guild.world.until(priced)

    await guild.server.press(message.id, message.button(":cancel:"), ANN)

    await guild.world.until(lambda: "Cancelled" in message.content)
    for job in await guild.core.jobs.jobs_of(guild.person(ANN).requester):
        assert (await until_ended(guild.core, job.id)).state is JobState.CANCELLED
