"""The line of the Studio about what is left, and the meter beside it."""

from core.domain.quota import LimitBalance, QuotaView, Unit
from webui.views.jobs import quota_line

OWN = LimitBalance("own", 1_200_000, 300_000, 0, 1_700_000_000_000)
GUESTS = LimitBalance("guests", 1_200_000, 300_000, 0, 1_700_000_000_000)
NETWORK = LimitBalance("network", 300_000, 60_000, 0, 1_700_000_000_000)
JOBS = LimitBalance("own", 5, 3, 0, 1_700_000_000_000, Unit.JOBS)


def test_an_account_reads_as_ever() -> None:
    line = quota_line(QuotaView((OWN,)))

    assert line.text == "15 min 00 s of 20 min 00 s GPU time left · full again 2023-11-14 22:13 UTC"
    assert line.share == 0.75


def test_guests_are_told_what_they_share_and_their_networks_part_of_it() -> None:
    line = quota_line(QuotaView((GUESTS, NETWORK)))

    assert line.text == (
        "Guests share 20 min 00 s GPU time, 15 min 00 s left; you may use 4 min 00 s of it"
        " · full again 2023-11-14 22:13 UTC"
    )
    assert line.share == 0.8


def test_further_limits_follow_and_one_that_is_spent_empties_the_meter() -> None:
    line = quota_line(QuotaView((OWN, JOBS)))
    spent = quota_line(QuotaView((OWN, LimitBalance("own", 5, 5, 0, None, Unit.JOBS))))

    assert "you have 2 of 5 jobs left (full again: 2023-11-14 22:13 UTC)" in line.text
    assert line.share == 0.75
    assert spent.share == 0
