"""What the buttons under a job do."""

from uuid import uuid4

from core.domain.followups import Action
from core.domain.jobs import Ticket
from core.errors import NotAChoice
from core.service.front_services import FrontServices
from webui.auth.visitors import Visitor
from webui.studio.delivery import reply_to_page
from webui.studio.endings import Endings
from webui.studio.follow_up import Press, followed_up

UNDO = "undo"  # the verb of the page that takes an ending back


class JobActions:
    """Does what a button says, once for each press."""

    def __init__(self, services: FrontServices, endings: Endings) -> None:
        """Take the service, and what waits before it ends a job."""
        self._users = services.users
        self._endings = endings

    async def act(
        self, job_id: str, action: str, visitor: Visitor, key: str = "", *, later: bool = False
    ) -> str:
        """Do what a button under a job says; return the id of the job to look at.

        Args:
            job_id: under which the button is.
            action: its verb, or :data:`UNDO`.
            visitor: who pressed it.
            key: of this press; a request that is sent again is answered with the same job.
            later: a cancel or delete can be taken back for a while.

        Raises:
            NotAChoice: there is no such button.
            JobUnknown: no such job.
            NotYours: somebody else's.
            Refused: quota, rules, block or a closed intake.
        """
        visitor.require_kept()
        caller = visitor.caller
        match action:
            case Action.CANCEL | Action.DELETE if later:
                await self._endings.postpone(job_id, Action(action), visitor)
                return job_id
            case Action.CANCEL:
                await self._users.cancel(caller, job_id)
                return job_id
            case Action.DELETE:
                await self._users.delete(caller, job_id)
                return ""
            case Action.AGAIN | Action.LONGER | Action.QUALITY | Action.SMALLER:
                return (await self.follow_up(job_id, action, visitor, key)).job_id
            case _ if action == UNDO:
                await self._endings.take_back(job_id, visitor)
                return job_id
            case _:
                await self._users.job(caller, job_id)
                choices = (Action.CANCEL, Action.AGAIN, Action.LONGER, Action.QUALITY)
                raise NotAChoice("action", action[:40], ", ".join(choices))

    async def follow_up(self, job_id: str, action: str, visitor: Visitor, key: str = "") -> Ticket:
        """Ask for the clip that a button under a job makes.

        Raises:
            ClapperError: as of :meth:`act`.
        """
        visitor.require_kept()
        name = f"studio:{key or uuid4().hex}"
        press = Press(job_id, action, name, reply_to_page())
        return await followed_up(self._users, visitor.caller, press)
