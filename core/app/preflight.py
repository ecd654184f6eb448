"""What must be right before the service starts, as ``clapper doctor`` tells it and ``serve`` asks.

Looks at settings and at this machine only, never at a network; what a platform says is asked by
:class:`core.app.frontend.Examinable`.
"""

import errno
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.accounts.weights import Shares
from core.app.frontend import Checkable, Front
from core.app.log_place import log_problem
from core.app.roles import check_role, role_of_service
from core.domain.access import CHATS, OWN, AccessKind, read_entries
from core.errors import ClapperError
from core.errors.nodes import NodeNeedsServer, NodeNeedsSharedFiles
from core.errors.setup import NotReady
from core.i18n.messages import explain, say
from core.interfaces.platform_check import PlatformCheck
from core.runtime.listening import refusal_at
from core.settings import Settings, look_at_names

LOOPBACK = "127.0.0.1"
_NOT_FRONTS = frozenset({"cli", "hf", "studio"})  # platforms of accounts besides the fronts


@dataclass(frozen=True, slots=True)
class ListeningPort:
    """A port that the service will listen on."""

    variable: str
    host: str
    port: int
    front: str = ""  # the front that listens there; empty: the service itself


def check_settings(settings: Settings, fronts: Iterable[Front]) -> Iterator[PlatformCheck]:
    """Check what can be told before anything is opened: names, accounts, each front's settings."""
    fronts = list(fronts)
    yield from check_names()
    yield from check_log(settings)
    yield from _role(settings)
    yield from check_access(settings, fronts)
    yield from _people(settings, {*_NOT_FRONTS, *(front.name for front in fronts)})
    for front in fronts:
        if isinstance(front, Checkable) and front.configured(settings):
            yield from front.check(settings)


def check_names() -> Iterator[PlatformCheck]:
    """Check whether names are set that nobody reads, and who may read the file of settings."""
    what = say("doctor_settings")
    found = look_at_names()
    for unknown in found.unknown:
        fix = "doctor_name_nearest" if unknown.nearest else "doctor_name_remove"
        facts = {"name": unknown.name, "nearest": unknown.nearest}
        yield PlatformCheck(what, "bad", say("doctor_name_unknown", facts), say(fix, facts))
    if found.file is None and found.looked_at is not None:
        facts = {"path": found.looked_at}
        detail = say("doctor_no_file", facts)
        yield PlatformCheck(what, "note", detail, say("doctor_no_file_fix"))
    if found.foreign:
        facts = {"names": ", ".join(found.foreign), "path": found.file}
        detail = say("doctor_names_foreign", facts)
        yield PlatformCheck(what, "note", detail, say("doctor_names_foreign_fix"))
    for name, path in found.repeated:
        facts = {"name": name, "path": path}
        detail, fix = say("settings_repeated", facts), say("settings_repeated_fix")
        yield PlatformCheck(what, "note", detail, fix)
    for name in found.tokens:
        facts = {"name": name}
        detail = say("doctor_token_foreign", facts)
        yield PlatformCheck(what, "note", detail, say("doctor_token_foreign_fix", facts))
    if found.file is not None and _others_read(found.file):
        facts = {"path": found.file}
        detail = say("doctor_file_open", facts)
        yield PlatformCheck(what, "note", detail, say("doctor_file_open_fix", facts))


def check_log(settings: Settings) -> Iterator[PlatformCheck]:
    """Check whether a log can be kept where the settings say."""
    try:
        problem = log_problem(settings)
    except ClapperError:  # the address of the database: told where that is opened
        return
    if problem is not None:
        fix = say("doctor_log_fix")
        yield PlatformCheck(say("doctor_settings"), "bad", explain(problem), fix)


def check_access(settings: Settings, fronts: Iterable[Front]) -> Iterator[PlatformCheck]:
    """Tell who may use the bots, and whether anybody could let people in."""
    bots = sorted(f.name for f in fronts if f.name in CHATS and f.configured(settings))
    if not bots:
        return
    entries, what = read_entries(settings.people.allowed), say("doctor_access")
    operators = {key.partition(":")[0] for key in settings.people.operator_keys()}
    if settings.discord.roles():
        operators.add("discord")
    open_to_all = {one.platform for one in entries if one.kind is AccessKind.EVERYONE}
    alone = [bot for bot in bots if bot not in operators | open_to_all]
    if settings.people.allowed == OWN and alone:
        detail = say("doctor_access_nobody", {"platforms": ", ".join(alone)})
        yield PlatformCheck(what, "note", detail, say("doctor_access_nobody_fix"))
    elif open_to_all.issuperset(bots):
        yield PlatformCheck(what, "note", say("doctor_access_everyone"))
    else:
        listed = "own" if settings.people.allowed == OWN else "listed"
        yield PlatformCheck(what, "good", say(f"doctor_access_{listed}"))


def check_ports(
    settings: Settings, fronts: Iterable[Front] | None = None
) -> Iterator[PlatformCheck]:
    """Check whether every port that the service will listen on is free.

    Args:
        settings: of the whole service.
        fronts: only those of these fronts and of the service itself; of all fronts where None.
    """
    names = None if fronts is None else {front.name for front in fronts}
    for one in ports(settings):
        if names is None or not one.front or one.front in names:
            yield from check_port(one)


def check_port(one: ListeningPort) -> Iterator[PlatformCheck]:
    """Check whether the service can listen there."""
    number = refusal_at(one.host, one.port)
    if number is None:
        return
    said = {errno.EADDRINUSE: "doctor_port_taken", errno.EACCES: "doctor_port_forbidden"}
    facts = {"name": one.variable, "port": one.port, "host": one.host}
    detail = say(said.get(number, "doctor_port_host"), facts)
    fix = say("doctor_port_fix", facts)
    if number not in said:
        fix = say("doctor_host_fix", {"name": one.variable.replace("PORT", "HOST")})
    yield PlatformCheck(say("doctor_port"), "bad", detail, fix)


def ports(settings: Settings) -> list[ListeningPort]:
    """Return where everything that is switched on listens; port 0 is any free one."""
    found: list[ListeningPort] = []
    if settings.studio.enabled:
        found.append(
            ListeningPort(
                "CLAPPER_STUDIO_PORT", settings.studio.host, settings.studio.port, "studio"
            )
        )
    if settings.telegram.token is not None and settings.telegram.webhook_url:
        port = settings.telegram.webhook_port
        found.append(ListeningPort("CLAPPER_TELEGRAM_WEBHOOK_PORT", LOOPBACK, port, "telegram"))
    health = settings.health
    if health.port is not None:
        found.append(ListeningPort("CLAPPER_HEALTH_PORT", health.host, health.port))
    gate = settings.gate
    if gate.port is not None:
        found.append(ListeningPort("CLAPPER_GATE_PORT", gate.host, gate.port))
    return found


def refuse_broken(findings: Iterable[PlatformCheck]) -> None:
    """Refuse the start where one of ``findings`` is bad.

    Raises:
        NotReady: it tells all that are.
    """
    bad = [f"{one.detail} {one.fix}".strip() for one in findings if one.health == "bad"]
    if bad:
        raise NotReady("\n".join(bad))


def _role(settings: Settings) -> Iterator[PlatformCheck]:
    """Check whether a service that makes no clips can leave them to others."""
    try:
        check_role(settings, role_of_service(settings))
    except (NodeNeedsServer, NodeNeedsSharedFiles) as problem:
        yield PlatformCheck(say("doctor_settings"), "bad", explain(problem))


def _people(settings: Settings, platforms: set[str]) -> Iterator[PlatformCheck]:
    try:
        Shares.parse(settings.queue.shares)
    except ClapperError as problem:
        yield PlatformCheck(say("doctor_settings"), "bad", explain(problem))
    keys = sorted(settings.people.operator_keys())
    strange = [key for key in keys if key.partition(":")[0] not in platforms]
    if strange:
        facts = {"keys": ", ".join(strange), "platforms": ", ".join(sorted(platforms))}
        detail = say("doctor_operators_strange", facts)
        yield PlatformCheck(
            say("doctor_settings"), "bad", detail, say("doctor_operators_fix", facts)
        )


def _others_read(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    except OSError:
        return False
