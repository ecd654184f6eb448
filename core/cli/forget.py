"""``clapper forget``: delete everything that is kept of somebody, who cannot do it in a chat."""

from typing import Annotated

import typer

from core.cli.core_session import requester_of
from core.cli.exit_codes import out
from core.cli.questions import confirmed
from core.cli.steering import steer_one
from core.control.commands import ForgetPerson
from core.i18n.messages import say

APP = typer.Typer()


@APP.command("forget", help=say("help_forget"))
def forget(
    requester: Annotated[str, typer.Argument(metavar="KEY", help=say("help_requester"))],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=say("help_models_yes"))] = False,
) -> None:
    """Delete jobs, clips, inputs, forms, styles of private chats and joins of an account.

    Raises:
        Abort: it was not confirmed.
    """
    who = requester_of(requester)
    if not yes and not confirmed(say("forget_question", {"who": who.key})):
        raise typer.Abort
    gone = steer_one(ForgetPerson(who.key))
    told = {"who": ", ".join(gone.accounts), "count": gone.jobs}
    out().print(say("forget_done", told), soft_wrap=True)
