"""Which card NVIDIA's tool names, whatever it says."""

from pathlib import Path

import pytest

from core.cli.setup.card import GraphicsCard, first_card


@pytest.mark.parametrize(
    ("said", "card"),
    [
        ("NVIDIA H200, 143771", GraphicsCard("NVIDIA H200", 143771 * 2**20)),
        ("A, B, 8192\nOther, 1", GraphicsCard("A, B", 8192 * 2**20)),
        ("NVIDIA-SMI has failed", None),
        ("NVIDIA GeForce, [N/A]", None),
        ("", None),
    ],
)
def test_the_first_card_counts_and_nonsense_is_no_card(
    said: str, card: GraphicsCard | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\nprintf '{said}'\n")
    tool.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    assert first_card() == card


@pytest.mark.parametrize("script", ["exit 9", None])
def test_a_tool_that_fails_or_is_absent_is_no_card(
    script: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if script is not None:
        (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "nvidia-smi").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert first_card() is None
