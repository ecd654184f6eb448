"""Start Clapper: what ``clapper`` and ``python -m clapper`` run.

This module stands alone, since its packages have common names: it can tell when another ``core``
was found instead of ours.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

_SHADOWED = """\
Clapper cannot start: Python found another package named "core", in
  {found}
instead of Clapper's own, in
  {ours}
Install Clapper into an environment of its own (pipx or uv tool does that), or take the folder \
above out of PYTHONPATH."""


def main() -> None:
    """Run ``clapper`` with the arguments of the process."""
    ours = Path(__file__).resolve().parent / "core"
    spec = find_spec("core")
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = Path(places[0]).resolve() if places else None
    if found != ours:
        sys.exit(_SHADOWED.format(found=found or (spec and spec.origin), ours=ours))
    from core.cli import main as run

    run()


if __name__ == "__main__":
    main()
