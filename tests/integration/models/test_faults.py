"""What goes wrong between the hub and the disk, and what a person is told about it."""

import asyncio
import errno
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from core.errors import Cancelled
from core.errors.setup import DownloadFailed
from core.i18n.messages import explain
from core.models.catalog import LTX_2_3
from core.models.errors import (
    ChecksumWrong,
    DiskTooSmall,
    DownloadCut,
    FolderUnwritable,
    HubBroken,
    HubFileMissing,
    HubFileMoved,
    HubGated,
    HubOffline,
    HubTokenRefused,
    ModelFileRefused,
)
from core.models.store import StoreFolders
from core.runtime.cancellation import CancelToken
from core.testing.doubles import eventually
from core.testing.loop_lag import LoopLag


def ignore(event):
    del event


def partials(store):
    return list(store.places.cache.rglob("*.incomplete"))


async def begun(store, hub) -> None:
    """Wait until the hub gives no more, and something of what it gave has reached the disk."""
    await asyncio.to_thread(hub.held.wait, 20)

    async def written() -> bool:
        return any(path.stat().st_size for path in partials(store))

    await eventually(written)


async def test_a_cut_connection_goes_on_where_it_broke(store, hub, offer, weights):
    content = weights(3000)
    file = offer(content)
    hub.cuts = [1_500_000, 700_000]

    (place,) = await store.ensure([file], ignore, CancelToken())

    assert place.read_bytes() == content
    first, *later = hub.bodies
    assert first is None
    starts = [int(item.removeprefix("bytes=").rstrip("-")) for item in later]
    assert len(starts) == 2
    assert 0 < starts[0] < starts[1]


async def test_a_later_run_goes_on_with_the_bytes_of_an_earlier_one(
    open_store, hub, offer, weights
):
    content = weights(3000)
    file = offer(content)
    hub.cuts = [1_200_000, 0, 0, 0]
    store = open_store()

    with pytest.raises(DownloadCut) as caught:
        await store.ensure([file], ignore, CancelToken())
    assert 0 < caught.value.done_bytes < caught.value.total_bytes
    assert partials(store)

    hub.cuts = []
    (place,) = await open_store().ensure([file], ignore, CancelToken())

    assert hub.bodies[-1] == f"bytes={caught.value.done_bytes}-"
    assert place.read_bytes() == content
    assert not partials(store)


async def test_a_server_that_ignores_ranges_starts_over(store, hub, offer, weights):
    content = weights(3000)
    file = offer(content)
    hub.cuts = [1_500_000]
    hub.ignore_ranges = True

    (place,) = await store.ensure([file], ignore, CancelToken())

    assert place.read_bytes() == content


@pytest.mark.parametrize("faults", ["head_faults", "body_faults"])
async def test_errors_of_the_hub_pass_when_it_recovers(store, hub, offer, weights, faults):
    file = offer(weights())
    setattr(hub, faults, [503, 500])

    assert await store.ensure([file], ignore, CancelToken())


@pytest.mark.parametrize("faults", ["head_faults", "body_faults"])
async def test_a_hub_that_stays_broken_is_named_with_its_status(store, hub, offer, weights, faults):
    file = offer(weights())
    setattr(hub, faults, [502] * 9)

    with pytest.raises(HubBroken) as caught:
        await store.ensure([file], ignore, CancelToken())

    assert caught.value.status == 502


async def test_a_gated_repository_names_its_page(open_store, hub, offer, weights):
    file = offer(weights())
    hub.gated.add(file.repo)

    with pytest.raises(HubGated) as caught:
        await open_store("hf_good").ensure([file], ignore, CancelToken())

    assert caught.value.page == f"{hub.endpoint}/{file.repo}"
    assert "HF_TOKEN" in explain(caught.value)
    assert hub.heads == 1


@pytest.mark.parametrize(
    ("fault", "token", "problem"),
    [
        ("private", "hf_bad", HubTokenRefused),
        ("private", None, HubFileMissing),
        ("forbidden", "hf_good", HubTokenRefused),
    ],
)
async def test_a_refused_token_is_told_from_a_missing_repository(
    open_store, hub, offer, weights, fault, token, problem
):
    file = offer(weights())
    getattr(hub, fault).add(file.repo)

    with pytest.raises(problem) as caught:
        await open_store(token).ensure([file], ignore, CancelToken())

    assert "hf_" not in explain(caught.value)
    assert "hf_" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [{"repo": "Nobody/nothing"}, {"revision": "a" * 40}, {"path": "other.safetensors"}],
    ids=["repository", "revision", "file"],
)
async def test_a_missing_thing_is_said_to_be_missing(store, hub, offer, weights, changes):
    file = replace(offer(weights()), **changes)

    with pytest.raises(HubFileMissing):
        await store.ensure([file], ignore, CancelToken())

    assert hub.heads == 1


async def test_a_renamed_file_names_its_successor(store, offer, weights):
    old, new = next(iter(LTX_2_3.renamed.items()))
    gone = replace(offer(weights()), path=old)

    with pytest.raises(HubFileMoved) as caught:
        await store.ensure([gone], ignore, CancelToken())

    assert caught.value.becomes == new


async def test_nobody_listening_is_offline_and_says_what_to_do(open_store, hub, offer, weights):
    file = offer(weights())
    hub.endpoint = "http://127.0.0.1:9"  # the discard port; nothing listens

    with pytest.raises(HubOffline) as caught:
        await open_store().ensure([file], ignore, CancelToken())

    assert "CLAPPER_HUB_ENDPOINT" in explain(caught.value)


async def test_a_client_told_to_stay_offline_asks_nobody(store, hub, offer, weights, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    with pytest.raises(HubOffline) as caught:
        await store.ensure([offer(weights())], ignore, CancelToken())

    assert caught.value.detail == "HF_HUB_OFFLINE"
    assert hub.heads == 0


async def test_wrong_bytes_are_removed_and_never_linked(store, hub, offer, weights):
    file = offer(weights(seed=1))
    hub.deliver[file.path] = weights(seed=2)

    with pytest.raises(ChecksumWrong):
        await store.ensure([file], ignore, CancelToken())

    assert not partials(store)
    assert store.locate(file) is None
    assert not store.place_of(file).exists()


async def test_more_bytes_than_announced_are_wrong_bytes(store, hub, offer, weights):
    file = offer(weights())
    hub.deliver[file.path] = weights() + b"more"

    with pytest.raises(ChecksumWrong):
        await store.ensure([file], ignore, CancelToken())


async def test_another_file_than_the_registered_one_costs_no_bytes(store, hub, offer, weights):
    file = offer(weights())
    hub.etags[file.path] = "0" * 64

    with pytest.raises(ChecksumWrong):
        await store.ensure([file], ignore, CancelToken())

    assert hub.bodies == []


async def test_without_a_registered_hash_the_announced_one_counts(store, hub, offer, weights):
    file = replace(offer(weights(seed=1)), sha256=None)
    hub.deliver[file.path] = weights(seed=2)

    with pytest.raises(ChecksumWrong):
        await store.ensure([file], ignore, CancelToken())


async def test_a_published_file_that_is_no_safetensors_is_refused(store, offer, weights):
    file = offer(weights()[:-7])

    with pytest.raises(ModelFileRefused) as caught:
        await store.ensure([file], ignore, CancelToken())

    assert caught.value.fault == "file_truncated"
    assert not partials(store)


async def test_a_truncated_file_of_the_cache_is_fetched_again(store, hub, offer, weights):
    content = weights()
    file = offer(content)
    (place,) = await store.ensure([file], ignore, CancelToken())
    place.resolve().write_bytes(content[:1000])

    await store.ensure([file], ignore, CancelToken())

    assert place.read_bytes() == content


async def test_a_file_damaged_in_place_is_refused_before_it_is_loaded(open_store, offer, weights):
    content = weights()
    file = offer(content)
    (place,) = await open_store().ensure([file], ignore, CancelToken())
    place.resolve().write_bytes(b"\xff" * len(content))

    with pytest.raises(ModelFileRefused):
        await open_store().require([file])


async def test_a_disk_without_room_is_noticed_before_the_first_byte(
    open_store, hub, offer, weights
):
    store = open_store(reserve_bytes=10**15)

    with pytest.raises(DiskTooSmall) as caught:
        await store.ensure([offer(weights())], ignore, CancelToken())

    assert caught.value.need_bytes > caught.value.free_bytes
    assert hub.bodies == []


FULL_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
from core.interfaces.executor import CancelToken
from core.models.hub_client import Hub, HubAccess
from core.models.model_file import LTX2_LICENCE, ModelFile
from core.models.errors import DiskTooSmall

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))
endpoint, commit, size, sha256, path = sys.argv[1:]
file = ModelFile("Lightricks/LTX-2.3", commit, "ltx-2.3-spatial-upscaler-x2-1.1.safetensors",
                 "loras", int(size), sha256, LTX2_LICENCE)

async def main():
    hub = Hub(HubAccess(endpoint, tries=1))
    try:
        await hub.fetch(await hub.describe(file), Path(path), lambda done: None)
    except DiskTooSmall as error:
        print("disk", error.need_bytes, Path(path).stat().st_size)

asyncio.run(main())
"""


async def test_a_disk_that_fills_up_stops_the_download_and_keeps_the_bytes(
    hub, offer, weights, tmp_path
):
    file = offer(weights(3000))

    facts = [str(file.size_bytes), str(file.sha256), str(tmp_path / "partial")]
    run = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", FULL_DISK, hub.endpoint, file.revision, *facts],
        capture_output=True,
        text=True,
        timeout=60,
    )

    word, missing, kept = run.stdout.split()
    assert (word, run.stderr) == ("disk", "")
    assert int(kept) > 1_000_000
    assert int(missing) >= file.size_bytes - int(kept)


async def test_a_cache_that_cannot_be_written_is_said_to_be_so(
    open_store, offer, weights, tmp_path
):
    (tmp_path / "file").write_text("in the way")
    store = open_store(places=StoreFolders(tmp_path / "models", tmp_path / "file" / "cache"))

    with pytest.raises(FolderUnwritable):
        await store.ensure([offer(weights())], ignore, CancelToken())


async def test_a_disk_that_is_full_when_the_file_is_put_in_its_place_is_a_full_disk(
    open_store, offer, weights
):
    def full(source, place):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(place))

    store, file = open_store(ways=[("copy", full)]), offer(weights())

    with pytest.raises(DiskTooSmall) as caught:
        await store.ensure([file], ignore, CancelToken())

    assert caught.value.need_bytes == file.size_bytes
    assert caught.value.free_bytes > 0


async def test_a_cancel_waits_for_no_silent_hub_and_keeps_the_bytes(store, hub, offer, weights):
    content = weights(3000)
    file = offer(content)
    hub.hold_after = 1_500_000
    cancel = CancelToken()
    work = asyncio.create_task(store.ensure([file], ignore, cancel))
    await begun(store, hub)
    cancel.cancel()

    with pytest.raises(Cancelled):
        await work

    assert not hub.let_go
    (kept,) = partials(store)
    assert 0 < kept.stat().st_size < file.size_bytes
    hub.hold_after = None
    hub.go.set()
    (place,) = await store.ensure([file], ignore, CancelToken())
    assert place.read_bytes() == content
    assert hub.bodies[-1] is not None


async def test_a_shutdown_in_the_middle_keeps_the_bytes(store, hub, offer, weights):
    file = offer(weights(3000))
    hub.hold_after = 1_500_000
    work = asyncio.create_task(store.ensure([file], ignore, CancelToken()))
    await begun(store, hub)
    work.cancel()

    with pytest.raises(asyncio.CancelledError):
        await work

    (kept,) = partials(store)
    assert 0 < kept.stat().st_size < file.size_bytes


async def test_the_event_loop_stays_free_during_a_download(store, offer, weights):
    file = offer(weights(20_000))

    async with LoopLag() as pulse:
        await store.ensure([file], ignore, CancelToken())

    assert 0 < pulse.longest_s < 0.25


def test_every_download_problem_says_what_to_do():
    for kind in DownloadFailed.__subclasses__():
        sentence = explain(kind("model.safetensors"))
        assert "model.safetensors" in sentence
        assert sentence.count(".") > 1 or "“" in sentence
