"""What the doctor says of the device."""

from dataclasses import replace

import pytest

from core.cli.doctor_card import card_findings
from core.cli.findings import DoctorFinding, Severity
from core.duration.hardware import BY_KEY
from core.settings import Settings, load_settings

GIB = 1024**3


def findings(gib: float, settings: Settings) -> list[DoctorFinding]:
    hardware = replace(BY_KEY["3090"], memory=gib * GIB)
    return list(card_findings("a card", hardware, settings))


def test_a_card_of_its_profile_is_told_what_fits_and_how_long_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLAPPER_MODEL_PROFILE", "small")

    first, *presets = findings(12, load_settings())

    assert first.health is Severity.GOOD
    assert "small" in first.detail
    assert not first.fix
    assert [finding.detail.split(",")[0] for finding in presets] == ["fast", "balanced", "quality"]
    assert all("fit" in finding.detail for finding in presets)


def test_a_card_too_small_for_the_profile_is_told_which_to_take() -> None:
    first, *_ = findings(12, load_settings())

    assert first.health is Severity.NOTE
    assert "CLAPPER_MODEL_PROFILE=small" in first.fix


def test_a_card_with_room_for_larger_files_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAPPER_MODEL_PROFILE", "small")

    first, *_ = findings(32, load_settings())

    assert "fp8" in first.detail


def test_a_card_for_which_a_preset_is_too_large_is_told_so() -> None:
    *_, quality = findings(0.05, load_settings())

    assert "does not fit" in quality.detail
