import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_our_order_serves_others_sooner_than_taking_turns():
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / "fairness.py", "--seeds", "12", "--json"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    gain = {
        row["gpus"]: row["better_than_round_robin"]
        for row in json.loads(done.stdout)
        if row["rule"] == "ours"
    }

    assert gain[1] >= 1.5
    assert gain[4] >= 1.0
