"""The command line: one module per command group, mounted by core/cli/app.py.

Belongs here: options, tables, progress bars, exit codes. Never here: decisions that a chat or a
browser would have to make too; those are the service's.
"""

import sys


def main() -> None:
    """Run ``clapper`` with the arguments of the process."""
    from core.cli.supervised import run_supervised

    status = run_supervised(sys.argv[1:])
    if status is not None:
        sys.exit(status)

    from core.cli.app import APP

    APP(prog_name="clapper")
