"""``clapper``: the root of all commands.

To add a command, write a module in core/cli with a ``typer.Typer()`` named ``APP`` and add a line
to :data:`COMMANDS`: with a name where its commands form a group (``clapper jobs show``), with None
where they stand on their own (``clapper doctor``). Help texts come from ``core/i18n/words``.
Problems may leave a command as ClapperError: the root says the sentence and ends with its status.
"""

import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from core.app.logs import set_up_logging
from core.cli.exit_codes import explained_exit
from core.i18n.messages import say
from core.runtime.permissions import private_files

COMMANDS: tuple[tuple[str, str | None], ...] = (
    ("core.cli.demo", None),
    ("core.cli.serve", None),
    ("core.cli.generate", None),
    ("core.cli.jobs", "jobs"),
    ("core.cli.quota", "quota"),
    ("core.cli.service", None),
    ("core.cli.deliveries", "deliveries"),
    ("core.cli.estimate", None),
    ("core.cli.stats", None),
    ("core.cli.models", "models"),
    ("core.cli.comfy", "comfy"),
    ("core.cli.workflow", "workflow"),
    ("core.cli.space", "space"),
    ("core.cli.doctor", None),
    ("core.cli.invariants", None),
)


# What these make belongs to the installation, and whoever runs the service has to read it.
_INSTALLING = frozenset({"comfy", "models", "workflow", "space"})


class _Root(TyperGroup):
    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  # typer does not export its types
        with explained_exit():
            return super().invoke(ctx)


APP = typer.Typer(
    cls=_Root,
    help=say("help_clapper"),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:  # noqa: FBT001  # typer calls it so
    if asked:
        typer.echo(say("cli_version", {"version": version("clapper")}))
        raise typer.Exit


@APP.callback()
def root(
    context: typer.Context,
    *,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help=say("help_verbose"))] = False,
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help=say("help_version")),
    ] = False,
) -> None:
    """Set up logging, and who may read what is made, before any command runs."""
    del show_version
    if context.invoked_subcommand not in _INSTALLING:
        context.with_resource(private_files())
    set_up_logging("info" if verbose else "error")


for _module, _name in COMMANDS:
    APP.add_typer(import_module(_module).APP, name=_name)

if __name__ == "__main__":
    sys.exit(APP())
