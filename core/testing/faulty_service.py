"""``clapper serve`` whose executor breaks on demand, under the parent that it has in production.

    python -m core.testing.faulty_service FOLDER

FOLDER/plan.json has a prompt for every job, ``{"prompts": […], "users": n}``, and may have the
``frames`` and the ``side`` of the clips. The service itself submits the jobs, once each.
FOLDER/book gets a line for every message that somebody is shown. It ends by itself once every
job is told.
"""

import sys
from pathlib import Path

from core.app.supervisor import RestartRules, Supervisor, tell_terminal

# as in production, but for waits that a test need not sit through
RULES = RestartRules(an_hour=10_000, first_wait_s=0.05, longest_wait_s=0.05)


def main() -> None:
    """Run the parent, or the service where a parent asks for it."""
    folder = Path(sys.argv[1])
    if "--supervised" in sys.argv:
        from core.testing.planned_service import run_service  # the parent is small, as everywhere

        run_service(folder, sys.argv[-1])
        return
    command = [sys.executable, "-P", "-m", "core.testing.faulty_service", str(folder)]
    sys.exit(Supervisor(command, RULES, tell_terminal).run())


if __name__ == "__main__":
    main()
