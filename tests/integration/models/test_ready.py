"""A job whose model files are not all here: what its requester sees, and what stops it."""

from pathlib import Path

import pytest

from core.domain.modes import Mode
from core.domain.progress import Downloading
from core.errors import Cancelled, ModelUnavailable
from core.i18n.messages import explain
from core.interfaces.executor import Order
from core.models.catalog import Profile
from core.models.preparation import ensure_files
from core.runtime.cancellation import CancelToken
from core.testing.doubles import t2v


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order("1" * 32, 1, t2v(), tmp_path, tmp_path)


@pytest.mark.parametrize("mode", Mode)
async def test_every_file_that_comes_is_counted_to_its_last_byte(
    open_store, small_family, order, mode
):
    files = small_family.files_for(mode, Profile.FP8)
    store, events = open_store(family=small_family), []

    await ensure_files(store, files, order, events.append, CancelToken())

    assert all(isinstance(event, Downloading) for event in events)
    whole = {event.file: event.total_bytes for event in events if event.done_bytes}
    assert whole == {file.name: file.size_bytes for file in files}
    last = {event.file: event.done_bytes for event in events}
    assert last == whole
    assert store.missing(files) == ()


async def test_what_is_here_tells_nothing_and_asks_nobody(open_store, hub, small_family, order):
    files = small_family.files_for(Mode.T2V, Profile.FP8)
    store, events = open_store(family=small_family), []
    await ensure_files(store, files, order, lambda _: None, CancelToken())
    heads = hub.heads

    await ensure_files(store, files, order, events.append, CancelToken())

    assert events == []
    assert hub.heads == heads


def gate(hub, file):
    hub.gated.add(file.repo)


def lose(hub, file):
    del hub.files[file.repo, file.path]


def spoil(hub, file):
    hub.deliver[file.path] = b"x" * file.size_bytes


@pytest.mark.parametrize("happens", [gate, lose, spoil])
async def test_a_file_that_cannot_be_had_is_named_without_the_hubs_words(
    open_store, hub, offer, weights, order, happens
):
    file = offer(weights())
    happens(hub, file)

    with pytest.raises(ModelUnavailable) as caught:
        await ensure_files(open_store(), [file], order, lambda _: None, CancelToken())

    sentence = explain(caught.value)
    assert caught.value.file == file.name
    assert "nothing was charged" in sentence
    assert "127.0.0.1" not in sentence


async def test_terms_that_nobody_accepted_stop_the_job_before_the_first_byte(
    open_store, hub, offer, weights, order
):
    file = offer(weights())

    with pytest.raises(ModelUnavailable) as caught:
        await ensure_files(open_store(granted=False), [file], order, lambda _: None, CancelToken())

    assert caught.value.file == file.name
    assert hub.heads == 0


async def test_a_cancel_stays_a_cancel(open_store, offer, weights, order):
    cancel = CancelToken()
    cancel.cancel()

    with pytest.raises(Cancelled):
        await ensure_files(open_store(), [offer(weights())], order, lambda _: None, cancel)
