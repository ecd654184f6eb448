"""Each process listens to what concerns it: a worker's own jobs, not everybody's progress."""

import pytest

from core.app.bus_choice import bus_of
from core.bus.bus import NoBus
from core.bus.messages import Topic
from core.domain.nodes import NodeRole
from core.storage.database import Database
from tests.support.settings import changed

URL = "postgresql://127.0.0.1:1/nowhere"  # nothing is opened


@pytest.mark.parametrize("role", NodeRole)
def test_a_process_listens_to_progress_only_where_people_see_it(settings, role):
    bus = bus_of(changed(settings, database_url=URL), Database(URL), role)

    heard = set(bus._topics)
    assert {Topic.WORK, Topic.CANCEL} <= heard
    assert (heard == set(Topic)) == role.serves


@pytest.mark.sqlite
def test_a_file_has_no_messages(settings):
    assert isinstance(bus_of(settings, Database(settings.database), NodeRole.SERVICE), NoBus)
