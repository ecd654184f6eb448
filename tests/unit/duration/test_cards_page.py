"""``docs/cards.md`` says what the code computes."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_tables_of_cards_are_those_of_the_code():
    """``python bench/cards.py`` writes them anew after a wanted change."""
    command = [sys.executable, ROOT / "bench" / "cards.py", "--check"]
    done = subprocess.run(command, check=False, cwd=ROOT)

    assert done.returncode == 0
