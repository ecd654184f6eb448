"""That the terms were accepted is remembered whole, or not at all."""

import resource
from pathlib import Path

import pytest

from core.models.catalog import LTX_2_3, Licence, Profile
from core.models.errors import AcceptanceNotKept
from core.models.licences import Acceptance, licences_of

FILES = LTX_2_3.files_for(None, Profile.FP8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Acceptance(tmp_path / "licences.json", lambda: 1).accept(licences_of(FILES))
    return tmp_path / "licences.json"


def test_a_full_disk_leaves_what_was_accepted_before(path: Path) -> None:
    acceptance, before = Acceptance(path, lambda: 2), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(AcceptanceNotKept):
            acceptance.accept([Licence("other", "Other", "1", "https://example.org")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert acceptance.missing(FILES) == ()
    assert [item.name for item in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("torn", ["", "{", "[]", "null", '{"KEY": "yes"}', '{"KEY": null}'])
def test_a_torn_file_means_that_nobody_accepted(path: Path, torn: str) -> None:
    keys = [licence.key for licence in licences_of(FILES)]
    path.write_text(torn.replace("KEY", keys[0]))

    assert Acceptance(path, lambda: 2).missing(FILES) == licences_of(FILES)
