"""What operators do in the Studio: the same verbs as in the chats and on the command line."""

import math
from collections.abc import Awaitable, Callable
from typing import Any

from core.domain.people import Requester
from core.errors import NotAChoice, NotANumber, OperatorsOnly, OutOfRange
from core.i18n.messages import say
from core.service.front_services import FrontServices
from core.service.operator_api import OperatorApi
from webui.auth.visitors import Visitor
from webui.views.operators import OperatorView, operator_view

SHOWN = 100  # jobs, and deliveries that were given up
MOST_MINUTES = 100_000.0
REASON_LIMIT = 200  # characters of the reason of a block

Body = dict[str, Any]
Deed = Callable[[OperatorApi, Body], Awaitable[str]]


class StudioOperators:
    """Lets those in whom the settings name; guests never, whatever their key is."""

    def __init__(self, services: FrontServices) -> None:
        """Take the service."""
        self._services = services

    def includes(self, visitor: Visitor) -> bool:
        """Return whether ``visitor`` signed in and is an operator."""
        return bool(visitor.account) and self._services.users.is_operator(visitor.caller)

    async def view(self, visitor: Visitor, told: str = "") -> OperatorView:
        """Return what the page shows; ``told`` is the sentence about what was just done.

        Raises:
            OperatorsOnly: ``visitor`` is none.
        """
        api = self._api(visitor)
        jobs, dead = await api.all_live(), await api.dead_deliveries(SHOWN)
        ready = await self._services.readiness()
        return operator_view(await api.health(), ready, jobs[:SHOWN], dead, told)

    async def do(self, verb: str, body: Body, visitor: Visitor) -> OperatorView:
        """Do what a button of the page says, and return what it shows then.

        Raises:
            OperatorsOnly: ``visitor`` is none.
            NotAChoice: there is no such verb, or nobody is named.
            NotANumber: the minutes are none.
            OutOfRange: so many minutes cannot be given.
            Refused: there is no such job, or it is over.
        """
        api = self._api(visitor)
        if verb not in DEEDS:
            raise NotAChoice("action", verb[:40], ", ".join(DEEDS))
        return await self.view(visitor, await DEEDS[verb](api, body))

    def _api(self, visitor: Visitor) -> OperatorApi:
        """Return the operator API in the name of ``visitor``.

        Raises:
            OperatorsOnly: they are none.
        """
        if not self.includes(visitor):
            raise OperatorsOnly
        return self._services.users.operator(visitor.caller)


async def _pause(api: OperatorApi, _: Body) -> str:
    await api.set_intake("paused")
    return say("operators_paused")


async def _drain(api: OperatorApi, _: Body) -> str:
    await api.set_intake("draining")
    return say("operators_draining")


async def _resume(api: OperatorApi, _: Body) -> str:
    await api.set_intake("open")
    return say("operators_resumed")


async def _cancel(api: OperatorApi, body: Body) -> str:
    job = await api.cancel(_text(body, "job"))
    return say("cli_cancelled", {"job_id": job.id})


async def _grant(api: OperatorApi, body: Body) -> str:
    minutes = _minutes(body)
    account = await api.grant(_person(body), minutes)
    return say("operators_granted", {"who": account.key, "minutes": minutes})


async def _block(api: OperatorApi, body: Body) -> str:
    person = _person(body)
    await api.block(person, _text(body, "reason")[:REASON_LIMIT])
    return say("operators_blocked", {"who": person.key})


async def _unblock(api: OperatorApi, body: Body) -> str:
    person = _person(body)
    lifted = await api.unblock(person)
    who = ", ".join(one.key for one in lifted)
    return say("operators_unblocked", {"who": who}) if lifted else say("operators_not_blocked")


async def _revive(api: OperatorApi, body: Body) -> str:
    revived = await api.revive_deliveries(_text(body, "job") or None)
    return say("cli_revived", {"count": len(revived)})


DEEDS: dict[str, Deed] = {
    "pause": _pause,
    "drain": _drain,
    "resume": _resume,
    "cancel": _cancel,
    "grant": _grant,
    "block": _block,
    "unblock": _unblock,
    "revive": _revive,
}


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    return value.strip()[:300] if isinstance(value, str) else ""


def _person(body: Body) -> Requester:
    """Read who is meant.

    Raises:
        NotAChoice: nobody is named.
    """
    typed = _text(body, "who")
    who = Requester.from_key(typed)
    if not (who.platform and who.user_id):
        raise NotAChoice("user", typed[:40], "discord:123456789, studio:user-ann, …")
    return who


def _minutes(body: Body) -> float:
    """Read how many minutes are given.

    Raises:
        NotANumber: it is none.
        OutOfRange: nothing, or too many.
    """
    typed = str(body.get("minutes", ""))[:40]
    try:
        minutes = float(typed)
    except ValueError:
        minutes = math.nan
    if not math.isfinite(minutes):
        raise NotANumber("minutes", typed, 0.01, MOST_MINUTES)
    if not 0.01 <= minutes <= MOST_MINUTES:
        raise OutOfRange("minutes", minutes, 0.01, MOST_MINUTES, "min")
    return minutes
