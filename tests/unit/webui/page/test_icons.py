"""Each mode's button has the icon that its record names."""

import pytest

from core.domain.modes import MODES, ModeSpec
from webui.page.theme import ICONS, icons


@pytest.mark.parametrize("spec", MODES.values(), ids=lambda spec: spec.mode)
def test_every_mode_has_an_icon_in_one_line_of_the_styles(spec: ModeSpec) -> None:
    (line,) = [line for line in icons().splitlines() if line.startswith(f"#mode-{spec.mode} ")]

    assert "data:image/svg+xml,%3Csvg " in line
    assert line.endswith('%3C/svg%3E"); }')
    assert '"' not in (ICONS / f"{spec.icon}.svg").read_text("utf-8")  # it would end the address


def test_no_icon_is_left_over() -> None:
    of_modes_that_name_none = "clip"
    used = {of_modes_that_name_none, *(spec.icon for spec in MODES.values())}

    assert {path.stem for path in ICONS.iterdir()} == used
