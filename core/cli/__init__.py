"""The command line: one module per command group, mounted by core/cli/app.py.

Belongs here: options, tables, progress bars, exit codes. Never here: decisions that a chat or a
browser would have to make too; those are the service's.
"""


def main() -> None:
    """Run ``clapper`` with the arguments of the process."""
    from core.cli.app import APP

    APP(prog_name="clapper")
