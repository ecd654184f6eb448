"""What operators do in the Studio: the same verbs as in the chats and on the command line."""

import asyncio
from collections import OrderedDict
from dataclasses import replace

from core.domain.policy import EVERYWHERE
from core.errors import NotAChoice, OperatorsOnly
from core.service.front_services import FrontServices
from core.service.operator_api import OperatorApi
from webui.auth.visitors import Visitor
from webui.studio.operator_actions import ACTIONS, Body, Outcome, text_in
from webui.views.operators import OperatorRecords, OperatorView, operator_view

SHOWN = 100  # waiting jobs unless more are asked for, deliveries that were given up, tokens, runs
AUDITED = 50  # entries of the log
LOG_LINES = 200
LOOK = "look"  # the verb that shows a prompt
_PRESSES = 500  # whose outcome is remembered


class StudioOperators:
    """Lets those in whom the settings name; guests never, whatever their key is."""

    def __init__(self, services: FrontServices) -> None:
        """Take the service."""
        self._services = services
        self._pressed: OrderedDict[tuple[str, str], Outcome] = OrderedDict()
        self._turn = asyncio.Lock()

    def includes(self, visitor: Visitor) -> bool:
        """Return whether ``visitor`` signed in and is an operator."""
        return bool(visitor.account) and self._services.users.is_operator(visitor.caller)

    async def view(
        self, visitor: Visitor, waiting: int = SHOWN, outcome: Outcome | None = None
    ) -> OperatorView:
        """Return what the page shows: the first so many waiting jobs, and what was just done.

        Raises:
            OperatorsOnly: ``visitor`` is none.
        """
        api = self._api(visitor)
        records = OperatorRecords(
            jobs=await api.all_live(waiting),
            dead=await api.dead_deliveries(SHOWN),
            tokens=(await api.tokens())[:SHOWN],
            recent=await api.recent_runs(SHOWN),
            audit=await api.audit(AUDITED),
            styles=[one.name for one in (await api.styles(EVERYWHERE).read()).styles],
            now_ms=self._services.clock(),
        )
        ready = await self._services.readiness()
        return operator_view(await api.health(), ready, records, outcome or Outcome(""))

    async def do(
        self, verb: str, body: Body, visitor: Visitor, key: str = "", waiting: int = SHOWN
    ) -> OperatorView:
        """Do what a button of the page says, once for each press, and return what it shows then.

        Args:
            verb: of the button.
            body: the fields beside it.
            visitor: who pressed.
            key: of this press; empty: it is not sent twice.
            waiting: as of :meth:`view`.

        Raises:
            OperatorsOnly: ``visitor`` is none.
            NotAChoice: there is no such verb or scope, or nobody is named.
            NotANumber, OutOfRange: such a number cannot be given.
            Refused: there is no such job, or it is over.
        """
        api, press = self._api(visitor), (visitor.requester.key, key)
        async with self._turn:  # the second click of a pair waits for the first
            outcome = self._pressed.get(press) if key else None
            if outcome is None:
                outcome = await self._done(api, verb, body, visitor)
                # what must be shown once only is not kept
                self._pressed[press] = replace(outcome, issued=None, prompts={})
                while len(self._pressed) > _PRESSES:
                    self._pressed.popitem(last=False)
        return await self.view(visitor, waiting, outcome)

    async def _done(self, api: OperatorApi, verb: str, body: Body, visitor: Visitor) -> Outcome:
        if verb == LOOK:  # written down like every look at what is somebody else's
            job = await self._services.users.job(visitor.caller, text_in(body, "job"))
            prompt = "" if job.asked is None else job.asked.prompt
            return Outcome("", prompts={job.id: prompt})
        if verb not in ACTIONS:
            raise NotAChoice("action", verb[:40], ", ".join((*ACTIONS, LOOK)))
        return await ACTIONS[verb](api, body)

    def log_lines(self, visitor: Visitor) -> list[str]:
        """Return the newest lines of the log, oldest first.

        Raises:
            OperatorsOnly: ``visitor`` is none.
        """
        return self._api(visitor).log_lines(LOG_LINES)

    def _api(self, visitor: Visitor) -> OperatorApi:
        """Return the operator API in the name of ``visitor``.

        Raises:
            OperatorsOnly: they are none.
        """
        if not self.includes(visitor):
            raise OperatorsOnly
        return self._services.users.operator(visitor.caller)
