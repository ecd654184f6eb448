"""From the hub to ComfyUI's folder when all is well: cache layout, links, licences, progress."""

import asyncio
import hashlib
from dataclasses import replace

import pytest
from huggingface_hub import hf_hub_download, try_to_load_from_cache

from core.domain.progress import Downloading
from core.errors import Cancelled, ModelUnavailable
from core.errors.setup import LicenceNotAccepted
from core.models.errors import DownloadCut, ModelFileRefused, ModelPlaceTaken
from core.models.links import COPY, HARDLINK
from core.models.store import FileLocation, StoreFolders
from core.runtime.cancellation import CancelToken


def ignore(event):
    del event


async def test_a_missing_file_comes_through_the_cache_into_its_folder(store, hub, offer, weights):
    content = weights()
    file = offer(content)

    (place,) = await store.ensure([file], ignore, CancelToken())

    assert place == store.places.models / "latent_upscale_models" / file.name
    assert place.is_symlink()
    assert place.read_bytes() == content


async def test_the_cache_is_one_that_huggingface_hub_itself_reads(store, hub, offer, weights):
    file = offer(weights(), revision="main")
    await store.ensure([file], ignore, CancelToken())
    heads = hub.heads

    found = try_to_load_from_cache(file.repo, file.path, cache_dir=store.places.cache)
    again = hf_hub_download(
        file.repo, file.path, cache_dir=store.places.cache, endpoint=hub.endpoint, token=False
    )

    assert found == again
    assert len(hub.bodies) == 1
    assert hub.heads == heads + 1


async def test_what_is_here_needs_no_hub(store, hub, offer, weights):
    file = offer(weights())
    await store.ensure([file], ignore, CancelToken())
    heads = hub.heads

    await store.ensure([file], ignore, CancelToken())

    assert (hub.heads, len(hub.bodies)) == (heads, 1)


async def test_a_file_of_the_hub_client_is_taken_over(store, hub, offer, weights):
    file = offer(weights())
    hf_hub_download(
        file.repo,
        file.path,
        revision=file.revision,
        cache_dir=store.places.cache,
        endpoint=hub.endpoint,
        token=False,
    )

    (place,) = await store.ensure([file], ignore, CancelToken())

    assert place.exists()
    assert len(hub.bodies) == 1


async def test_a_preloaded_cache_serves_beside_the_writable_one(
    open_store, hub, offer, weights, tmp_path
):
    baked, fresh = offer(weights(seed=1)), offer(weights(seed=2), path="other.safetensors")
    preloaded = StoreFolders(tmp_path / "elsewhere", tmp_path / "baked")
    await open_store(places=preloaded).ensure([baked], ignore, CancelToken())
    for path in (tmp_path / "baked").rglob("*"):
        if not path.is_symlink():
            path.chmod(0o555 if path.is_dir() else 0o444)
    store = open_store(
        places=StoreFolders(tmp_path / "models", tmp_path / "cache", tmp_path / "baked")
    )

    places = await store.ensure([baked, fresh], ignore, CancelToken())

    assert [store.locate(file).where for file in (baked, fresh)] == [
        FileLocation.PRELOADED,
        FileLocation.CACHE,
    ]
    assert places[0].resolve().is_relative_to(tmp_path / "baked")
    assert len(hub.bodies) == 2


async def test_a_preloaded_file_of_another_commit_is_known_by_its_hash(
    open_store, hub, offer, weights, tmp_path
):
    file = offer(weights())
    baked = StoreFolders(tmp_path / "elsewhere", tmp_path / "baked")
    await open_store(places=baked).ensure([file], ignore, CancelToken())
    store = open_store(
        places=StoreFolders(tmp_path / "models", tmp_path / "cache", tmp_path / "baked")
    )

    await store.ensure([replace(file, revision="f" * 40)], ignore, CancelToken())

    assert len(hub.bodies) == 1


async def test_a_file_put_there_by_hand_is_used_and_left_alone(store, hub, offer, weights):
    file = offer(weights())
    own = store.place_of(file)
    own.parent.mkdir(parents=True)
    own.write_bytes(weights())

    assert await store.ensure([file], ignore, CancelToken()) == (own,)
    assert not own.is_symlink()
    assert hub.bodies == []


async def test_another_file_of_the_name_is_never_replaced(store, offer, weights):
    file = offer(weights())
    own = store.place_of(file)
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine")

    with pytest.raises(ModelPlaceTaken):
        await store.ensure([file], ignore, CancelToken())

    assert own.read_bytes() == b"mine"


async def test_a_link_that_leads_elsewhere_is_replaced(store, offer, weights, tmp_path):
    file = offer(weights())
    place = store.place_of(file)
    place.parent.mkdir(parents=True)
    place.symlink_to(tmp_path / "gone")

    await store.ensure([file], ignore, CancelToken())

    assert place.read_bytes() == weights()


@pytest.mark.parametrize("ways", [(HARDLINK,), (COPY,)], ids=["hardlink", "copy"])
async def test_without_symbolic_links_the_file_still_appears(open_store, offer, weights, ways):
    file = offer(weights())
    store = open_store(ways=ways)

    (place,) = await store.ensure([file], ignore, CancelToken())
    assert await store.ensure([file], ignore, CancelToken()) == (place,)

    assert not place.is_symlink()
    assert place.read_bytes() == weights()


async def test_progress_counts_bytes_up_to_the_whole_file(store, offer, weights):
    file = offer(weights(3000))
    events: list[Downloading] = []

    await store.ensure([file], events.append, CancelToken())

    done = [event.done_bytes for event in events]
    assert done == sorted(done)
    assert events[-1] == Downloading(file.name, file.size_bytes, file.size_bytes)


async def test_progress_tells_the_bytes_that_are_left_of_all_files(store, hub, offer, weights):
    first = offer(weights(3000, seed=1), path="first.safetensors")
    begun = offer(weights(2000, seed=2), path="begun.safetensors")
    last = offer(weights(40, seed=3), path="last.safetensors")
    hub.cuts = [1_200_000, 0, 0]
    with pytest.raises(DownloadCut) as caught:
        await store.ensure([begun], ignore, CancelToken())
    hub.cuts = []
    events: list[Downloading] = []

    await store.ensure([first, begun, last], events.append, CancelToken())

    left = [event.left_bytes for event in events]
    assert left == sorted(left, reverse=True)
    kept = caught.value.done_bytes
    assert kept > 0
    ends = {event.file: event.left_bytes for event in events}
    assert ends == {
        first.name: begun.size_bytes - kept + last.size_bytes,
        begun.name: last.size_bytes,
        last.name: 0,
    }


async def test_terms_come_before_the_first_byte_and_once(open_store, hub, offer, weights):
    file = offer(weights())
    store = open_store(granted=False)

    with pytest.raises(LicenceNotAccepted) as caught:
        await store.ensure([file], ignore, CancelToken())
    assert hub.heads == 0
    assert file.licence.name in caught.value.licences

    store.acceptance.accept(store.acceptance.missing([file]))
    await open_store(granted=False).ensure([file], ignore, CancelToken())
    assert len(hub.bodies) == 1


async def test_a_new_version_of_the_terms_asks_again(open_store, offer, weights):
    file = offer(weights())
    acceptance = open_store(granted=False).acceptance
    acceptance.accept([file.licence])

    newer = replace(file, licence=replace(file.licence, version="2999-01-01"))

    assert acceptance.missing([file]) == ()
    assert acceptance.missing([newer]) == (newer.licence,)


@pytest.mark.parametrize("name", ["model.pt", "model.ckpt", "model.gguf", "model.bin"])
async def test_pickles_and_other_formats_are_refused_before_any_request(store, hub, offer, name):
    file = offer(b"\x80\x04K\x01.", path=name)

    with pytest.raises(ModelFileRefused):
        await store.ensure([file], ignore, CancelToken())

    assert hub.heads == 0


async def test_require_names_the_missing_file_and_downloads_nothing(store, hub, offer, weights):
    file = offer(weights())

    with pytest.raises(ModelUnavailable) as caught:
        await store.require([file])

    assert caught.value.file == file.name
    assert hub.heads == 0


async def test_two_processes_asking_at_once_fetch_once(open_store, hub, offer, weights):
    file = offer(weights(2000))
    hub.hold_after = None

    await asyncio.gather(*(open_store().ensure([file], ignore, CancelToken()) for _ in range(3)))

    assert len(hub.bodies) == 1


async def test_a_renamed_repository_is_followed(store, hub, offer, weights):
    file = offer(weights())
    hub.moved_repos["Old/name"] = file.repo

    (place,) = await store.ensure([replace(file, repo="Old/name")], ignore, CancelToken())

    assert hashlib.sha256(place.read_bytes()).hexdigest() == file.sha256


async def test_the_token_reaches_the_hub_and_never_the_delivery_network(
    open_store, hub, offer, weights
):
    file = offer(weights())
    hub.private.add(file.repo)

    await open_store("hf_good").ensure([file], ignore, CancelToken())

    assert not hub.cdn_saw_token


async def test_a_cancel_before_the_start_asks_nothing(store, hub, offer, weights):
    cancel = CancelToken()
    cancel.cancel("operator")

    with pytest.raises(Cancelled):
        await store.ensure([offer(weights())], ignore, cancel)

    assert hub.heads == 0
