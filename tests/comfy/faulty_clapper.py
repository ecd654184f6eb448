"""``clapper serve`` with its parent, on tiny models and a node pack that breaks on demand.

    python faulty_clapper.py FOLDER

As core.testing.faulty_service, but with ComfyUI: run as a program by test_faults.py.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

from core.app.supervisor import Supervisor, tell_terminal
from core.comfy import executor
from core.models.catalog import LTX_2_3
from core.testing.faulty_service import RULES
from core.testing.planned_service import run_service


def use_tiny_models(models: Path) -> None:
    for spec in LTX_2_3.profiles.values():
        for slot, file in list(spec.files.items()):
            path = models / file.folder / file.name
            if path.is_file():
                spec.files[slot] = replace(file, size_bytes=path.stat().st_size, sha256=None)


def main() -> None:
    folder = Path(sys.argv[1])
    if "--supervised" not in sys.argv:
        command = [sys.executable, str(Path(__file__)), str(folder)]
        sys.exit(Supervisor(command, RULES, tell_terminal).run())
    use_tiny_models(Path(os.environ["CLAPPER_MODELS_DIR"]))
    executor._STUCK_S = 1.0
    run_service(folder, sys.argv[-1], own_executor=True)


if __name__ == "__main__":
    main()
