"""What takes GPU time by a press says so on its button."""

from dataclasses import replace

import pytest

from bots.shared.drafts import of_drafts
from bots.shared.offers import Offers
from core.domain.dimensions import Size
from core.domain.followups import Action
from core.domain.jobs import Job, JobState, ReplyTo
from core.domain.lineage import DraftGroup
from core.domain.people import Requester
from core.service.preview import ActionPrice

JOB = Job("0" * 32, Requester("test", "1"), None, ReplyTo("test"), JobState.QUEUED, 1, 1, None, 1)


def offers(cost_ms: int) -> Offers:
    return Offers(price=lambda _job, _action: ActionPrice(cost_ms, Size(64, 64)))


@pytest.mark.parametrize(
    ("cost_ms", "locale", "label"),
    [
        (48_000, "en", "Quality pass · 48 s"),
        (999, "en", "Quality pass · under 1 s"),
        (65_000, "de", "Feinschliff · 1 Min. 05 s"),
    ],
)
def test_the_quality_pass_says_what_it_takes(cost_ms: int, locale: str, label: str) -> None:
    assert offers(cost_ms).label(JOB, Action.QUALITY, locale) == label


def test_a_draft_says_its_number_and_others_nothing_where_nobody_knows() -> None:
    job = JOB

    assert offers(5000).label(job, Action.QUALITY, "en", 3) == "Finish 3 · 5 s"
    assert Offers().label(job, Action.QUALITY, "en", 3) == "Finish 3"
    assert offers(5000).label(job, Action.AGAIN, "en") == "Again"


def test_all_drafts_and_what_finishing_one_takes_are_said_while_they_wait() -> None:
    job = replace(JOB, group=DraftGroup("a" * 32, 2, 4), estimate_ms=2500)

    told = of_drafts(job, "You are next.", "en", offers(48_000))
    unknown = of_drafts(job, "You are next.", "en", Offers())

    assert told == (
        "Draft 2 of 4 · You are next.\n4 drafts, about 10 s of GPU time together; "
        "finishing one takes about 48 s more."
    )
    assert unknown.endswith("finishing one costs extra.")
