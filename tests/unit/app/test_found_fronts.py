"""Which fronts a service starts: each that is installed, and each once."""

from pathlib import Path

import pytest

from core.app.serve import found_fronts

POINTS = """[clapper.fronts]
discord = bots.discord.front:FRONT
studio = webui.front:FRONT
telegram = bots.telegram.front:FRONT
absent = of_nobody.front:FRONT
"""


def installed(folder: Path, name: str, version: str) -> None:
    told = folder / f"{name}-{version}.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (told / "entry_points.txt").write_text(POINTS)


def test_a_front_that_two_packages_tell_of_is_started_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, "clapper", "0.1.0")
    installed(tmp_path, "clapper_of_another_name", "0.2.0")
    monkeypatch.syspath_prepend(str(tmp_path))
    said: list[str] = []

    fronts = found_fronts(said.append)

    assert [front.name for front in fronts] == ["discord", "studio", "telegram"]
    assert len(said) == 1
    assert "Absent" in said[0]
