"""A clip that a chat had to reduce is seen whole by the link in its caption, whoever presses it."""

from collections.abc import Callable

import httpx
import pytest

from core.app.bootstrap import open_core
from core.domain.jobs import ReplyTo
from core.domain.people import Caller, Requester
from core.settings import Settings
from core.testing.doubles import QuickExecutor, t2v
from core.testing.jobs import submit_request
from tests.support.jobs import until_ended
from webui.auth.user_file import User, add
from webui.testing.server import served

ANN = Requester("discord", "501")
SITE = "https://studio.example/"


def path_of(address: str) -> str:
    assert address.startswith(f"{SITE}originals/")
    return "/" + address.removeprefix(SITE)


@pytest.mark.parametrize("closed", [False, True], ids=["open", "with_sign_in"])
async def test_the_link_opens_that_clip_and_nothing_else_until_it_is_deleted(
    settings_with: Callable[..., Settings], executor: QuickExecutor, tmp_path, closed: bool
) -> None:
    users = {"studio_users": tmp_path / "users"} if closed else {}
    if closed:
        add(tmp_path / "users", User.of("ann", "a long enough password"))
    settings = settings_with(studio_port=0, studio_url=SITE, **users)
    async with served(settings, executor) as studio:
        core = studio.core
        at = ReplyTo("discord", {"channel": "1", "user": "501"})
        ticket = await submit_request(core, t2v(), ANN, at, "one")
        job = await until_ended(core, ticket.job_id)
        other = await until_ended(core, (await submit_request(core, t2v(), ANN, at, "two")).job_id)
        address = await core.users.originals.address(job)
        path = path_of(address)
        theirs = path_of(await core.users.originals.address(other))
        secret = path.rpartition("/")[2]

        async with httpx.AsyncClient(base_url=studio.url) as stranger:
            found = await stranger.get(path)
            cross = await stranger.get(
                path,
                headers={
                    "sec-fetch-site": "cross-site",
                    "sec-fetch-mode": "navigate",
                    "sec-fetch-dest": "document",
                },
            )
            assert (found.status_code, cross.status_code) == (200, 200)
            assert len(found.content) == job.clip.size_bytes
            assert await core.users.originals.address(job) == address
            for wrong in (
                f"/originals/{other.id}/{secret}",
                f"/originals/{job.id}/x.mp4",
                f"/originals/{'0' * 32}/{secret}",
                theirs.replace(other.id, job.id),
            ):
                assert (await stranger.get(wrong)).status_code == 404
            mine = await stranger.get(f"/clips/{job.id}.mp4")
            assert mine.status_code == (401 if closed else 404)
            await core.users.delete(Caller(ANN, "discord:1"), job.id)
            assert (await stranger.get(path)).status_code == 404
            assert (await stranger.get(theirs)).status_code == 200


@pytest.mark.parametrize(
    "values", [{}, {"studio_url": SITE, "studio": False}], ids=["no_address", "no_page"]
)
async def test_without_a_page_that_people_reach_no_link_is_given(
    settings_with: Callable[..., Settings], executor: QuickExecutor, values: dict
) -> None:
    async with open_core(settings_with(**values), executor) as core:
        job = (await submit_request(core, t2v(), ANN, ReplyTo("cli", {}), "one")).job_id

        assert await core.users.originals.address(await core.jobs.get(job)) == ""
