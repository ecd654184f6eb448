"""Clips of the Studio that lie in a bucket: through the node, or by a signed address."""

from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest

from core.settings import Settings
from core.testing.doubles import QuickExecutor
from tests.integration.studio.test_addresses import made, requester_of
from tests.support.s3_server import SECRET, S3Server
from webui.testing.server import served


@pytest.fixture(autouse=True)
def plain() -> None:
    """Keep the authorities of the system: the library of buckets does not start without one."""


@pytest.mark.parametrize("public", [False, True])
async def test_only_the_owner_gets_a_clip_from_the_bucket(
    s3: S3Server, settings_with: Callable[..., Settings], public: bool
) -> None:
    on_bucket = s3.settings(f"studio-{uuid4().hex[:8]}", s3_public=public)
    settings = settings_with(studio_port=0, **on_bucket)
    headers = {"X-Clapper": "1"}
    async with (
        served(settings, QuickExecutor()) as studio,
        httpx.AsyncClient(timeout=60, base_url=studio.url, headers=headers) as browser,
        httpx.AsyncClient(timeout=60, base_url=studio.url, headers=headers) as stranger,
        httpx.AsyncClient(timeout=60) as anybody,
    ):
        job = await made(browser, studio)
        await requester_of(stranger, studio)
        for path in settings.clips_folder.iterdir():
            path.unlink()  # as for want of room

        refused = await stranger.get(f"/clips/{job}.mp4?download=1")
        clip = await browser.get(f"/clips/{job}.mp4?download=1")
        poster = await browser.get(f"/clips/{job}.png")
        part = await browser.get(f"/clips/{job}.mp4", headers={"Range": "bytes=10-19"})
        if public:
            assert [one.status_code for one in (clip, poster, part)] == [302] * 3
            assert clip.headers["cache-control"] == "private, no-store"
            address = clip.headers["location"]
            assert address.startswith(s3.endpoint)
            assert f"filename%3D%22clapper-{job[:8]}.mp4%22" in address
            assert SECRET not in address
            assert list(settings.clips_folder.iterdir()) == []  # nothing went through the node
            clip, poster = [await anybody.get(one.headers["location"]) for one in (clip, poster)]
            ranged = {"Range": "bytes=10-19"}
            part = await anybody.get(part.headers["location"], headers=ranged)

    assert refused.status_code == 404
    assert "location" not in refused.headers
    assert clip.content[4:8] == b"ftyp"
    assert poster.content.startswith(b"\x89PNG")
    assert part.content in (clip.content[10:20], clip.content)  # as the server takes ranges
