"""What a caller owns: what they made before they signed in is theirs too, and stays where it is."""

import pytest

from core.app.core import Core
from core.domain.followups import Action
from core.domain.jobs import ReplyTo
from core.domain.options import Options
from core.domain.people import Caller, Payer, Requester
from core.errors import JobUnknown, NotYours
from core.testing.doubles import t2v
from core.testing.jobs import submit_request
from tests.support.jobs import ask

GUEST, ACCOUNT = Requester("studio", "guest-1"), Requester("hf", "1")
SIGNED_IN = Caller(ACCOUNT, "studio", earlier=(GUEST,))
ELSEWHERE = Caller(ACCOUNT, "studio")  # the same account in a browser that was no guest


async def submitted(core: Core, requester: Requester, key: str) -> str:
    return (await submit_request(core, t2v(), requester, ReplyTo("studio"), key)).job_id


async def test_jobs_of_before_a_sign_in_are_seen_where_the_guest_was_only(core: Core) -> None:
    before = await submitted(core, GUEST, "before")
    after = await submitted(core, ACCOUNT, "after")

    assert {job.id for job in await core.users.jobs(SIGNED_IN, 10)} == {before, after}
    assert [job.id for job in await core.users.jobs(SIGNED_IN, 1)] == [after]
    assert [job.id for job in await core.users.jobs(ELSEWHERE, 10)] == [after]
    assert (await core.users.job(SIGNED_IN, before)).requester == GUEST
    with pytest.raises(NotYours):
        await core.users.job(ELSEWHERE, before)
    with pytest.raises(NotYours):
        await core.users.cancel(ELSEWHERE, before)


async def test_the_standing_holds_what_both_have_in_the_queue_and_when_it_is_ready(
    core: Core,
) -> None:
    before = await submitted(core, GUEST, "before")
    after = await submitted(core, ACCOUNT, "after")

    standing = await core.users.standing(SIGNED_IN)
    queue = await core.users.queue(SIGNED_IN)

    assert standing.account == ACCOUNT
    assert [job.id for job in standing.jobs] == [before, after]
    assert all(standing.queue.forecast(job, 0) for job in (before, after))
    assert [place.job.id for place in queue.mine] == [before, after]


async def test_the_account_pays_and_not_the_guest(core: Core) -> None:
    await submitted(core, GUEST, "before")

    assert (await core.users.quota(SIGNED_IN)).reserved_ms == 0
    named = Caller(ACCOUNT, "studio", payer=Payer(ACCOUNT.key, 5000))
    assert (await core.users.quota(named)).limit_ms == 5000


async def test_forgetting_an_account_leaves_what_the_guest_made(core: Core) -> None:
    before = await submitted(core, GUEST, "before")
    await submitted(core, ACCOUNT, "after")

    assert await core.users.forget(SIGNED_IN) == 1

    assert [job.id for job in await core.users.jobs(SIGNED_IN, 10)] == [before]


async def test_smaller_asks_for_at_most_half_of_the_work(core: Core) -> None:
    ticket = await ask(core, ELSEWHERE, "large", Options("a kite", "balanced", seconds=5, seed=1))
    request = (await core.users.job(ELSEWHERE, ticket.job_id)).request

    smaller = await core.users.follow_up(ELSEWHERE, ticket.job_id, Action.SMALLER)

    costs = [core.runs.estimate(one).gpu_ms for one in (smaller.request, request)]
    assert 0 < costs[0] <= costs[1] / 2
    assert smaller.request.prompt == request.prompt


@pytest.mark.parametrize("strange", ["", "\0", "a\0b", "\ud800", "²", "../x", "a b", "'; --"])
async def test_what_cannot_be_an_id_is_no_job_on_any_database(core: Core, strange: str) -> None:
    asked = (
        core.users.job(SIGNED_IN, strange),
        core.users.cancel(SIGNED_IN, strange),
        core.users.gallery.own(SIGNED_IN, strange),
    )
    for one in asked:
        with pytest.raises(JobUnknown) as caught:
            await one
        str(caught.value.job_id).encode()  # it is told in answers
