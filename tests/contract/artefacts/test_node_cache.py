"""A node keeps what it used last, never gives up the only copy, and nothing that is in use."""

import os
import time
from pathlib import Path

import pytest

from core.artefacts.cache import NodeCache
from tests.contract.artefacts.conftest import MakeNode
from tests.support.s3_server import S3Server

HOUR_S = 3600


def clip(number: int, folder: Path, age_s: float = 0, ending: str = ".mp4") -> str:
    name = f"clips/{number:032x}{ending}"
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 1000)
    os.utime(path, (time.time() - age_s, time.time()))
    return name


def here(folder: Path) -> set[int]:
    return {int(path.name[:32], 16) for path in (folder / "clips").iterdir()}


@pytest.fixture
def cache(tmp_path: Path) -> NodeCache:
    return NodeCache(tmp_path, 3000)


def test_the_least_recently_used_goes_first(cache: NodeCache, tmp_path: Path) -> None:
    for number in (1, 2, 3, 4):
        clip(number, tmp_path, age_s=number * HOUR_S)

    cache.make_room(1000, lambda _: True)

    assert here(tmp_path) == {1, 2}


def test_nothing_goes_while_everything_fits(cache: NodeCache, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        clip(number, tmp_path, age_s=HOUR_S)

    assert cache.make_room(0, lambda _: True) == 0
    assert here(tmp_path) == {1, 2, 3}


def test_what_is_in_use_stays_until_the_block_ends(cache: NodeCache, tmp_path: Path) -> None:
    old = clip(1, tmp_path, age_s=9 * HOUR_S)
    smaller = clip(1, tmp_path, age_s=9 * HOUR_S, ending="-5000.mp4")
    clip(2, tmp_path, age_s=2 * HOUR_S)

    with cache.in_use(old), cache.in_use(old):
        cache.make_room(3000, lambda _: True)
        assert (tmp_path / old).exists()
        assert (tmp_path / smaller).exists()
    cache.make_room(3000, lambda _: True)

    assert here(tmp_path) == set()


def test_what_was_handed_out_a_moment_ago_stays(cache: NodeCache, tmp_path: Path) -> None:
    old = clip(1, tmp_path, age_s=9 * HOUR_S)
    assert cache.use(old)

    cache.make_room(9000, lambda _: True)

    assert here(tmp_path) == {1}
    assert not cache.use("clips/" + "9" * 32 + ".mp4")


def test_the_only_copy_stays_however_full_it_is(cache: NodeCache, tmp_path: Path) -> None:
    for number in (1, 2, 3, 4):
        clip(number, tmp_path, age_s=HOUR_S)

    cache.make_room(9000, lambda name: name.endswith("2.mp4"))

    assert here(tmp_path) == {1, 3, 4}


def test_copies_that_can_be_made_again_need_no_other(cache: NodeCache, tmp_path: Path) -> None:
    clip(1, tmp_path, age_s=HOUR_S, ending="-5000.mp4")
    clip(2, tmp_path, age_s=HOUR_S, ending="-last.png")

    cache.make_room(9000, lambda _: False)

    assert here(tmp_path) == set()


def test_what_a_person_put_there_is_never_removed(cache: NodeCache, tmp_path: Path) -> None:
    strange = tmp_path / "clips" / "holiday.mp4"
    strange.parent.mkdir()
    strange.write_bytes(b"x" * 9000)
    os.utime(strange, (0, 0))

    cache.make_room(9000, lambda _: True)

    assert strange.exists()


async def test_what_went_from_a_node_is_fetched_again(
    node_of: MakeNode, s3: S3Server, tmp_path: Path
) -> None:
    one = await node_of()
    made = tmp_path / "made"
    made.write_bytes(os.urandom(1000))
    names = [f"clips/{number:032x}.mp4" for number in (1, 2)]
    for name in names:
        await one.artefacts.put(name, made)
        await one.artefacts.local(name)
        os.utime(one.data_dir / name, (0, time.time()))
    one.artefacts._cache._limit_bytes = 1000

    await one.artefacts.put(f"clips/{3:032x}.mp4", made)

    assert len(here(one.data_dir)) == 1
    assert [(await one.artefacts.local(name)).read_bytes() for name in names] == [
        made.read_bytes()
    ] * 2


async def test_a_full_disk_is_told_and_leaves_no_part(
    node_of: MakeNode, s3: S3Server, tmp_path: Path
) -> None:
    import resource
    import signal

    from core.errors.artefacts import ArtefactsUnavailable

    one, other = await node_of(), await node_of()
    made = tmp_path / "made"
    made.write_bytes(os.urandom(400_000))
    name = f"clips/{1:032x}.mp4"
    await one.artefacts.put(name, made)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(ArtefactsUnavailable) as refused:
            await other.artefacts.local(name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)

    assert refused.value.reason == "cache_full"
    assert list((other.data_dir / "clips").iterdir()) == []
