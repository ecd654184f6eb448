"""Who read rows reads them again once another process may have changed them."""

import pytest

from core.bus.incoming import IncomingMessages, LocalEnds
from core.bus.messages import CancelMessage, Topic, of_cancel
from core.bus.row_version import AGE_S, RowVersion, SharedRowVersion
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub
from tests.support.clocks import Seconds


def incoming(version):
    hub, dispatcher = ProgressHub(), LocalDispatcher()
    ends = LocalEnds(hub, dispatcher, lambda: None, on_change=version.changed)
    return IncomingMessages(ends, lambda _, call: call())


@pytest.mark.parametrize("topic", [Topic.WORK, Topic.OWED, Topic.CANCEL])
async def test_what_another_process_changed_is_seen_at_once(room, topic):
    version = SharedRowVersion(room.database, Seconds())
    before = version()

    incoming(version).receive(topic, of_cancel(CancelMessage("job", "owner")))

    assert version() != before


async def test_what_nobody_told_of_is_seen_within_a_second(room):
    seconds = Seconds()
    version = SharedRowVersion(room.database, seconds)
    before = version()
    assert version() == before
    seconds.now += AGE_S

    assert version() != before


async def test_after_a_new_connection_everything_is_read_again(room):
    version = SharedRowVersion(room.database, Seconds())
    before = version()

    incoming(version).look()

    assert version() != before


async def test_alone_only_what_is_written_here_counts(room):
    version = RowVersion(room.database)
    before = version()
    incoming(version).look()
    assert version() == before

    await room.submit()

    assert version() != before
