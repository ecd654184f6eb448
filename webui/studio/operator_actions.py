"""What the buttons of the operators' page do: each calls the operator API, which writes it down."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

from core.domain.people import Requester
from core.domain.policy import EVERYWHERE
from core.domain.time_units import MINUTE_MS
from core.errors import NotAChoice, NotANumber, OutOfRange
from core.i18n.messages import say
from core.service.operator_api import IssuedToken, OperatorApi, TokenOrder, parse_scopes
from webui.views.jobs import quota_line

MOST_MINUTES = 100_000.0
MOST_DAYS = 36_500.0
LEAST = 0.01  # minutes, days
REASON_LIMIT = 200  # characters of the reason of a block
_TEXT = 300  # characters of any other field

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is told of something that was done; a new token is shown this once."""

    text: str
    issued: IssuedToken | None = field(default=None, repr=False)
    prompts: dict[str, str] = field(default_factory=dict[str, str], repr=False)  # by job
    toml: str | None = None  # styles and defaults of all places; None where nobody asked


OperatorAction = Callable[[OperatorApi, Body], Awaitable[Outcome]]


async def _pause(api: OperatorApi, _: Body) -> Outcome:
    await api.set_intake("paused")
    return Outcome(say("operators_paused"))


async def _drain(api: OperatorApi, _: Body) -> Outcome:
    await api.set_intake("draining")
    return Outcome(say("operators_draining"))


async def _resume(api: OperatorApi, _: Body) -> Outcome:
    await api.set_intake("open")
    return Outcome(say("operators_resumed"))


async def _cancel(api: OperatorApi, body: Body) -> Outcome:
    job = await api.cancel(text_in(body, "job"))
    return Outcome(say("cli_cancelled", {"job_id": job.id}))


async def _quota(api: OperatorApi, body: Body) -> Outcome:
    person = _person(body)
    line = quota_line(await api.quota(person)).text
    return Outcome(say("operators_quota_of", {"who": person.key, "line": line}))


async def _grant(api: OperatorApi, body: Body) -> Outcome:
    minutes = _number(body, "minutes", MOST_MINUTES, "min")
    account = await api.grant(_person(body), minutes)
    return Outcome(say("operators_granted", {"who": account.key, "minutes": minutes}))


async def _block(api: OperatorApi, body: Body) -> Outcome:
    person = _person(body)
    await api.block(person, text_in(body, "reason")[:REASON_LIMIT])
    return Outcome(say("operators_blocked", {"who": person.key}))


async def _unblock(api: OperatorApi, body: Body) -> Outcome:
    lifted = await api.unblock(_person(body))
    who = ", ".join(one.key for one in lifted)
    told = say("operators_unblocked", {"who": who}) if lifted else say("operators_not_blocked")
    return Outcome(told)


async def _revive(api: OperatorApi, body: Body) -> Outcome:
    revived = await api.revive_deliveries(text_in(body, "job") or None)
    return Outcome(say("cli_revived", {"count": len(revived)}))


async def _issue_token(api: OperatorApi, body: Body) -> Outcome:
    given: Any = body.get("scopes")
    named = cast("list[Any]", given) if isinstance(given, list) else []
    scopes = parse_scopes(str(scope)[:_TEXT] for scope in named[:_TEXT])
    minutes = _number(body, "minutes", MOST_MINUTES, "min") if body.get("minutes") else None
    days = _number(body, "days", MOST_DAYS, "d") if body.get("days") else None
    limit_ms = None if minutes is None else round(minutes * MINUTE_MS)
    made = await api.issue_token(TokenOrder(text_in(body, "name"), scopes, limit_ms, days))
    return Outcome(say("operators_token_made", {"name": made.row.name}), made)


async def _revoke_token(api: OperatorApi, body: Body) -> Outcome:
    ended = await api.revoke_token(text_in(body, "token"))
    return Outcome(say("tokens_revoked", {"tokens": ", ".join(row.prefix for row in ended)}))


async def _keep_styles(api: OperatorApi, body: Body) -> Outcome:
    text: Any = body.get("styles")
    place = api.styles(EVERYWHERE)
    await place.read_in(text if isinstance(text, str) else "")
    names = [one.name for one in (await place.read()).styles]
    told = say("styles_kept", {"count": len(names), "names": ", ".join(names)})
    return Outcome(told, toml=await place.export())


async def _show_styles(api: OperatorApi, _: Body) -> Outcome:
    return Outcome("", toml=await api.styles(EVERYWHERE).export())


async def _remove_style(api: OperatorApi, body: Body) -> Outcome:
    name, place = text_in(body, "style"), api.styles(EVERYWHERE)
    await place.remove(name)
    return Outcome(say("style_removed", {"name": name}), toml=await place.export())


ACTIONS: dict[str, OperatorAction] = {
    "pause": _pause,
    "drain": _drain,
    "resume": _resume,
    "cancel": _cancel,
    "quota": _quota,
    "grant": _grant,
    "block": _block,
    "unblock": _unblock,
    "revive": _revive,
    "issue_token": _issue_token,
    "revoke_token": _revoke_token,
    "show_styles": _show_styles,
    "keep_styles": _keep_styles,
    "remove_style": _remove_style,
}


def text_in(body: Body, name: str) -> str:
    """Return the text in a field; empty where there is none."""
    value = body.get(name)
    return value.strip()[:_TEXT] if isinstance(value, str) else ""


def _person(body: Body) -> Requester:
    """Read who is meant.

    Raises:
        NotAChoice: nobody is named.
    """
    typed = text_in(body, "who")
    who = Requester.from_key(typed)
    if not (who.platform and who.user_id):
        raise NotAChoice("user", typed[:40], "discord:123456789, studio:user-ann, …")
    return who


def _number(body: Body, name: str, most: float, unit: str) -> float:
    """Read how much is given.

    Raises:
        NotANumber: it is none.
        OutOfRange: nothing, or too much.
    """
    typed = str(body.get(name, ""))[:40]
    try:
        number = float(typed)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise NotANumber(name, typed, LEAST, most)
    if not LEAST <= number <= most:
        raise OutOfRange(name, number, LEAST, most, unit)
    return number
