"""Ask pip-audit about every pin: `make audit`, and the end of `make check`.

python bench/audit.py PIP_AUDIT constraints.txt

Known weaknesses fail. Where nobody answers (no network, or an index that keeps no such list) one
pin is asked about, a line says so, and nothing fails: checking code must not need the network.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

LIMIT_S = 300


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=Path)
    parser.add_argument("pins", type=Path)
    chosen = parser.parse_args()
    first = chosen.pins.read_text("utf-8").split("\n", maxsplit=1)[0]
    with tempfile.TemporaryDirectory() as folder:
        one = Path(folder) / "one.txt"
        one.write_text(first)
        said = verdict(answer(chosen.program, one))
    if said[0] != "unanswered":
        said = verdict(answer(chosen.program, chosen.pins))
    print(said[1])
    return 1 if said[0] in {"weak", "partly"} else 0


def answer(program: Path, pins: Path) -> dict[str, Any]:
    """Return what pip-audit says of ``pins``, empty where it says nothing."""
    command = [program, "--no-deps", "--disable-pip", "--progress-spinner", "off",
               "--format", "json", "--requirement", pins]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
        return json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return {}


def verdict(said: dict[str, Any]) -> tuple[str, str]:
    """Return what the answer means (good, weak, partly or unanswered) in a word, and in words."""
    packages = said.get("dependencies", [])
    weak = [
        f"{one['name']} {one['version']}: {flaw['id']}, mended in "
        f"{', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in packages
        for flaw in one.get("vulns", [])
    ]
    skipped = [f"{one['name']}: {one['skip_reason']}" for one in packages if "skip_reason" in one]
    if weak:
        return "weak", "\n".join(weak)
    if len(skipped) == len(packages):
        return "unanswered", "audit skipped: nobody here tells known weaknesses of packages"
    if skipped:
        return "partly", "\n".join(skipped)
    return "good", f"audit: no known weakness in {len(packages)} packages"


if __name__ == "__main__":
    raise SystemExit(main())
