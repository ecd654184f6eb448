"""`make audit` fails for what is known to be weak, and for nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = {"name": "a", "version": "1", "vulns": []}
WEAK = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "c", "skip_reason": "not found on PyPI"}


def audited(folder: Path, *answers: str) -> tuple[int, str]:
    """Audit with a program that gives one answer after the other, as pip-audit writes them."""
    for number, answer in enumerate(answers):
        (folder / f"answer-{number}").write_text(answer)
    program = folder / "pip-audit"
    program.write_text(f'#!/bin/sh\ncd {folder}\nset -- answer-*\ncat "$1" && rm "$1"\nexit 1\n')
    program.chmod(0o755)
    (folder / "pins").write_text("a==1\nb==2\n")
    done = subprocess.run(
        [sys.executable, ROOT / "bench/audit.py", program, folder / "pins"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def of(*packages: dict[str, object]) -> str:
    return json.dumps({"dependencies": packages})


@pytest.mark.parametrize(
    ("answers", "status", "word"),
    [
        ([of(GOOD), of(GOOD, GOOD)], 0, "no known weakness in 2"),
        ([of(GOOD), of(GOOD, WEAK)], 1, "PYSEC-1, mended in 2.1"),
        ([of(GOOD), of(GOOD, UNKNOWN)], 1, "c: not found"),
        ([of(UNKNOWN)], 0, "skipped"),
        (["connection refused"], 0, "skipped"),
        ([of(WEAK), of(WEAK, UNKNOWN)], 1, "PYSEC-1"),
    ],
)
def test_only_what_is_known_fails(
    tmp_path: Path, answers: list[str], status: int, word: str
) -> None:
    code, said = audited(tmp_path, *answers)

    assert code == status
    assert word in said


def test_a_machine_without_the_program_is_told(tmp_path: Path) -> None:
    (tmp_path / "pins").write_text("a==1\n")
    done = subprocess.run(
        [sys.executable, ROOT / "bench/audit.py", tmp_path / "absent", tmp_path / "pins"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, "skipped" in done.stdout) == (0, True)
