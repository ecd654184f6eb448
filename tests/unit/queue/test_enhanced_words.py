"""Words that a place forbids are forbidden to the model that lengthens prompts there."""

from dataclasses import replace

import pytest

from core.accounts.limits import QuotaRules
from core.accounts.moderation import Moderation
from core.domain.people import Payer, Requester
from core.domain.policy import EVERYWHERE
from core.domain.presets import Enhance
from core.domain.word_rules import adds_forbidden

OPERATOR = Requester("discord", "1")


async def submitted(room, place, enhance):
    new = room.new()
    sampling = replace(new.request.sampling, enhance=enhance)
    request = replace(new.request, sampling=sampling)
    await room.queue.submit(replace(new, request=request, payer=Payer("discord:anna", place=place)))
    return await room.start()


@pytest.fixture
async def rules(room):
    moderation = Moderation(room.database, room.clock, frozenset(), QuotaRules())
    await moderation.set_rule(OPERATOR, EVERYWHERE, "words", "gore")
    await moderation.set_rule(OPERATOR, "discord:1", "nsfw_words", "nude*, gore")
    return moderation


@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize(
    ("place", "enhance", "words"),
    [
        ("discord:1", Enhance.ON, ("gore", "nude*")),
        ("discord:2", Enhance.ON, ("gore",)),
        ("", Enhance.ON, ("gore",)),
        ("discord:1", Enhance.OFF, ()),
    ],
)
async def test_who_runs_a_job_knows_what_no_model_may_write_for_it(room, place, enhance, words):
    job = await submitted(room, place, enhance)

    assert job.forbidden == words
    assert job.request.sampling.enhance is enhance


async def test_where_rules_cannot_be_read_no_model_writes(room):
    insert = "INSERT INTO policy (place, rules, updated_at) VALUES ('discord:1', '{\"words', 1)"
    async with room.database.transaction() as connection:
        await connection.exec_driver_sql(insert)

    job = await submitted(room, "discord:1", Enhance.ON)

    assert job.request.sampling.enhance is Enhance.OFF


@pytest.mark.parametrize(
    ("text", "typed", "adds"),
    [
        ("a fight with g0re everywhere", "a fight", True),
        ("a fight with b l o o d", "a fight", True),
        ("a calm sea", "a sea", False),
        ("gore, and the sea", "gore", False),  # allowed where it was typed
        ("gore and blood", "gore", True),
    ],
)
def test_only_what_the_model_added_is_held_against_its_text(text, typed, adds):
    assert adds_forbidden(text, typed, ("gore", "blood")) is adds
