"""Looking at what is here, and letting go of what is not needed."""

import os
from dataclasses import replace

import pytest

from core.models.catalog import Profile
from core.models.prune import GarbageReason, discard, garbage
from core.models.store import FileLocation
from core.models.verification import Verdict, remove_model_file, state_of, verify_file
from core.runtime.cancellation import CancelToken


def ignore(event):
    del event


async def test_a_whole_profile_arrives_in_its_folders(open_store, small_family):
    store = open_store(family=small_family)
    files = small_family.files_for(None, Profile.FP8)

    places = await store.ensure(files, ignore, CancelToken())

    assert all(place.exists() for place in places)
    assert {state_of(store, file).where for file in files} == {FileLocation.CACHE}
    assert {verify_file(store, file) for file in files} == {Verdict.SOUND}


async def test_a_download_under_way_shows_its_bytes(store, hub, offer, weights):
    file = offer(weights(3000))
    hub.cuts = [1_200_000, 0, 0]
    with pytest.raises(Exception, match="download_cut"):
        await store.ensure([file], ignore, CancelToken())

    state = state_of(store, file)

    assert (state.where, state.linked) == (None, False)
    assert 0 < state.kept_bytes < file.size_bytes
    assert verify_file(store, file) is Verdict.ABSENT


@pytest.mark.parametrize(
    ("damage", "verdict"),
    [(slice(-9, -1), Verdict.ALTERED), (slice(0, 8), Verdict.MALFORMED)],
    ids=["weights", "header"],
)
async def test_damage_is_found_removed_and_repaired(store, offer, weights, damage, verdict):
    content = bytearray(weights())
    file = offer(bytes(content))
    (place,) = await store.ensure([file], ignore, CancelToken())
    content[damage] = b"\xa5" * 8
    place.resolve().write_bytes(content)

    assert verify_file(store, file) is verdict
    assert remove_model_file(store, file)
    await store.ensure([file], ignore, CancelToken())
    assert verify_file(store, file) is Verdict.SOUND


async def test_a_file_of_somebody_else_is_never_removed(store, offer, weights):
    file = offer(weights())
    own = store.place_of(file)
    own.parent.mkdir(parents=True)
    own.write_bytes(weights())

    assert not remove_model_file(store, file)
    assert own.exists()


async def test_nothing_in_use_is_garbage(open_store, small_family):
    store = open_store(family=small_family)
    await store.ensure(small_family.files_for(None, Profile.FP8), ignore, CancelToken())

    assert garbage(store, small_family.all_files()) == ()


async def test_files_of_another_profile_go_when_only_one_is_kept(open_store, small_family):
    store = open_store(family=small_family)
    large = small_family.files_for(None, Profile.BF16)
    small = small_family.files_for(None, Profile.FP8)
    await store.ensure((*large, *small), ignore, CancelToken())

    items = garbage(store, small)

    only_large = set(large) - set(small)
    assert {item.path.name for item in items} == {file.name for file in only_large}
    assert discard(items) == sum(file.size_bytes for file in only_large)
    assert store.missing((*large, *small)) == tuple(file for file in large if file in only_large)
    assert not any(store.place_of(file).is_symlink() for file in only_large)


async def test_bytes_that_two_revisions_share_stay(open_store, small_family, hub):
    store = open_store(family=small_family)
    file = small_family.files_for(None, Profile.FP8)[0]
    await store.ensure([file], ignore, CancelToken())
    pointer = store.locate(file).path
    older = store.cache.repo(file.repo) / "snapshots" / ("0" * 40) / file.path
    older.parent.mkdir(parents=True)
    older.symlink_to(pointer.resolve())

    assert garbage(store, [file]) == ()


async def test_an_unfinished_download_goes_unless_it_is_running(open_store, small_family, hub):
    store = open_store(family=small_family)
    file = small_family.files_for(None, Profile.FP8)[0]
    remote = await store._hub.describe(file)
    partial = store.cache.partial(remote)
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"half")

    async with store.cache.locked(remote):
        assert garbage(store, [file]) == ()
    (item,) = garbage(store, [file])

    assert (item.kind, item.size_bytes) == (GarbageReason.UNFINISHED, 4)


async def test_what_another_program_still_fetches_or_refers_to_stays(open_store, small_family):
    store = open_store(family=small_family)
    file = small_family.files_for(None, Profile.FP8)[0]
    repo = store.cache.repo(file.repo)
    theirs = repo / "blobs" / f"{'9' * 64}.incomplete"
    same = repo / "blobs" / f"{file.sha256}.1a2b3c4d.incomplete"  # of ours, fetched by another
    pointer = repo / "snapshots" / ("2" * 40) / file.path
    for path in (theirs, same, pointer):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"of another program")
    (repo / "refs").mkdir()
    (repo / "refs" / "elsewhere").write_text("2" * 40)

    assert garbage(store, []) == ()

    (repo / "refs" / "elsewhere").unlink()
    assert [item.path for item in garbage(store, [])] == [pointer]


async def test_what_others_keep_in_the_same_repositories_stays(open_store, small_family, offer):
    store = open_store(family=small_family)
    theirs = replace(
        small_family.files_for(None, Profile.FP8)[0], path="theirs.safetensors", sha256=None
    )
    pointer = store.cache.repo(theirs.repo) / "snapshots" / ("1" * 40) / theirs.path
    pointer.parent.mkdir(parents=True)
    pointer.write_bytes(b"theirs")

    assert garbage(store, []) == ()


async def test_what_a_killed_copy_left_goes_after_a_day(open_store, small_family):
    store = open_store(family=small_family)
    place = store.place_of(small_family.files_for(None, Profile.FP8)[0])
    place.parent.mkdir(parents=True)
    names = [f".{place.name}.{'a' * 32}.new", f".{place.name}.4711.new", f".{place.name}.my.new"]
    left = [place.with_name(name) for name in names]
    for path in left:
        path.write_bytes(b"half a copy")
    assert garbage(store, []) == ()

    for path in left:
        os.utime(path, (0, 0))
    found = garbage(store, [])

    assert {item.path for item in found} == set(left[:2])
    assert {(item.kind, item.size_bytes) for item in found} == {(GarbageReason.UNFINISHED, 11)}
