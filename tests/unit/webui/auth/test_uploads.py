"""Whose upload is whose, also where somebody sends thousands."""

from pathlib import Path

from core.domain.people import Requester
from webui.auth.uploads import Uploads

ANN, EVE = Requester("studio", "guest-ann"), Requester("studio", "guest-eve")


def test_thousands_of_uploads_of_one_owner_cost_nobody_else_a_file(tmp_path: Path) -> None:
    uploads = Uploads()
    hers = str(tmp_path / "hers.png")
    uploads.record(hers, ANN)

    for number in range(5000):
        uploads.record(str(tmp_path / f"{number}.png"), EVE)

    assert uploads.allows(hers, ANN)
    assert not uploads.allows(hers, EVE)
    assert uploads.allows(str(tmp_path / "4999.png"), EVE)
    assert not uploads.allows(str(tmp_path / "0.png"), EVE)  # of theirs, the oldest go
