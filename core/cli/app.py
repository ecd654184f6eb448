"""``clapper``: the root of all commands.

To add a command, write a module in core/cli with a ``typer.Typer()`` named ``APP`` and add a line
to :data:`COMMANDS`: with a name where its commands form a group (``clapper jobs show``), with None
where they stand on their own (``clapper doctor``). Help texts come from ``core/i18n/words``.
Problems may leave a command as ClapperError: the root says the sentence and ends with its status.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from core import __version__
from core.app.logs import set_up_logging
from core.cli.exit_codes import explained_exit
from core.cli.terminal import out
from core.i18n.messages import say, speak_in_terminal
from core.runtime.permissions import private_files
from core.settings import use_env_file

COMMANDS: tuple[tuple[str, str | None], ...] = (
    ("core.cli.setup", None),
    ("core.cli.demo", None),
    ("core.cli.serve", None),
    ("core.cli.worker", None),
    ("core.cli.nodes", "nodes"),
    ("core.cli.generate", None),
    ("core.cli.jobs", "jobs"),
    ("core.cli.quota", "quota"),
    ("core.cli.forget", None),
    ("core.cli.styles", "styles"),
    ("core.cli.feed", "feed"),
    ("core.cli.tokens", "tokens"),
    ("core.cli.service", None),
    ("core.cli.deliveries", "deliveries"),
    ("core.cli.estimate", None),
    ("core.cli.stats", None),
    ("core.cli.models", "models"),
    ("core.cli.comfy", "comfy"),
    ("core.cli.workflow", "workflow"),
    ("core.cli.space", "space"),
    ("core.cli.upgrade", None),
    ("core.cli.doctor", None),
    ("core.cli.settings", None),
    ("core.cli.backup", None),
    ("core.cli.invariants", None),
    ("core.cli.db", "db"),
)


# What these make belongs to the installation, and whoever runs the service has to read it.
_INSTALLING = frozenset({"comfy", "models", "workflow", "space"})
_SERVING = frozenset({"serve", "worker"})


class _Root(TyperGroup):
    def make_context(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401  # as for invoke
        with explained_exit():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  # typer does not export its types
        typed = [*getattr(ctx, "_protected_args", ()), *ctx.args]
        with explained_exit(as_json="--json" in typed):
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
        out().print(say("cli_version", {"version": __version__}))
        raise typer.Exit


@APP.callback()
def root(
    context: typer.Context,
    *,
    env_file: Annotated[
        Path | None, typer.Option("--env-file", metavar="PATH", help=say("help_env_file"))
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help=say("help_verbose"))] = False,
    debug: Annotated[bool, typer.Option("--debug", help=say("help_debug"))] = False,
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help=say("help_version")),
    ] = False,
) -> None:
    """Set up logging, and who may read what is made, before any command runs."""
    del show_version
    if env_file is not None:
        use_env_file(env_file)
    if context.invoked_subcommand in _SERVING:
        speak_in_terminal(None)  # as its log: what it says without a reader is for everybody
    if context.invoked_subcommand not in _INSTALLING:
        context.with_resource(private_files())
    set_up_logging("debug" if debug else "info" if verbose else "error")


for _module, _name in COMMANDS:
    APP.add_typer(import_module(_module).APP, name=_name)

if __name__ == "__main__":
    sys.exit(APP())
