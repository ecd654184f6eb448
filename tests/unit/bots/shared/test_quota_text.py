"""What /quota says: the reader's own account as ever, and a line for each further limit."""

import pytest

import bots.discord.rendering
import bots.telegram.rendering
from core.domain.quota import LimitBalance, QuotaView, Unit

OWN = LimitBalance("own", 1_200_000, 60_000, 30_000, 1_700_000_000_000)
PLACE = LimitBalance("place", 600_000, 0, 120_000, 1_700_006_400_000)
JOBS = LimitBalance("own", 5, 2, 1, None, Unit.JOBS)
FRONTS = pytest.mark.parametrize(
    "texts_for", [bots.discord.rendering.texts_for, bots.telegram.rendering.texts_for]
)


@FRONTS
def test_with_a_personal_limit_alone_nothing_is_added(texts_for) -> None:
    text = texts_for("en").quota(QuotaView((OWN,)), 24)

    assert text.startswith("You have 18 min 30 s of 20 min 00 s GPU time left (1 min 00 s used, ")
    assert len(text.splitlines()) == 1
    fresh = texts_for("en").quota(QuotaView((LimitBalance("own", 1_200_000),)), 24)
    assert fresh.startswith("Nothing is used of your 20 min 00 s of GPU time.")


@FRONTS
@pytest.mark.parametrize(
    ("locale", "place", "jobs"),
    [
        ("en", "everybody here together has 8 min 00 s of 10 min 00 s", "you have 2 of 5 jobs"),
        ("de", "alle hier zusammen haben noch 8 Min. 00 s von", "du hast noch 2 von 5 Jobs"),
    ],
)
def test_each_further_limit_is_a_line_in_its_unit(texts_for, locale, place, jobs) -> None:
    texts = texts_for(locale)

    lines = texts.quota(QuotaView((OWN, PLACE, JOBS)), 24).splitlines()

    assert lines[0] == texts.quota(QuotaView((OWN,)), 24)
    assert place in lines[1]
    assert texts.markup.moment(1_700_006_400) in lines[1]
    assert jobs in lines[2]
    assert "–" in lines[2]
