"""Settings that are right one by one and cannot work together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from core.domain.dimensions import SIDE_MULTIPLE
from core.settings.problems import SettingProblem, number

HOURS_A_DAY = 24
HEARTBEATS = 4  # that may come late before another node takes a job


@dataclass(frozen=True, slots=True)
class AscendingPair:
    """``low`` times ``factor`` may not be above ``high``; both are flat names."""

    low: str
    high: str
    factor: float = 1
    code: str = "settings_out_of_order"


ORDERS = (
    AscendingPair("min_seconds", "max_seconds"),
    AscendingPair("min_seconds", "default_seconds"),
    AscendingPair("default_seconds", "max_seconds"),
    AscendingPair("max_seconds", "max_film_seconds"),
    AscendingPair("min_fps", "max_fps"),
    AscendingPair("min_fps", "default_fps"),
    AscendingPair("default_fps", "max_fps"),
    AscendingPair("min_side", "max_side"),
    AscendingPair("scale_floor", "scale_ceiling"),
    # a heartbeat may come late once before a running job counts as lost
    AscendingPair("heartbeat_s", "lease_s", 2, "settings_heartbeat"),
    # what a waiting job needs is not to be older than what is kept
    AscendingPair("wait_limit_hours", "retention_days", 1 / HOURS_A_DAY, "settings_retention"),
)


def contradictions(
    values: Mapping[str, Any], names: Mapping[str, str], *, sound: frozenset[str]
) -> Iterator[SettingProblem]:
    """Give what contradicts itself.

    Args:
        values: by flat name.
        names: the variable of each flat name.
        sound: flat names whose value is known to be right alone; rules about others are left out.
    """
    for order in ORDERS:
        low, high = values[order.low], values[order.high]
        if {order.low, order.high} <= sound and low * order.factor > high:
            pair = (names[order.low], names[order.high])
            yield SettingProblem(order.code, pair, _facts(pair, low, high))
    sides = ("min_side", "max_side", "max_megapixels")
    if sound.issuperset(sides):
        yield from _frames(values, names)
    if sound.issuperset(("telegram_webhook_url", "studio")):
        yield from _ports(values, names, sound)
    yield from _nodes(values, names, sound)


def _nodes(
    values: Mapping[str, Any], names: Mapping[str, str], sound: frozenset[str]
) -> Iterator[SettingProblem]:
    """Give what cannot work among several processes."""
    beat, lease = "heartbeat_s", "lease_s"
    scheme = values["database_url"].get_secret_value().partition(":")[0]
    if not scheme.lower().startswith("postgres") or not {beat, lease} <= sound:
        return
    if HEARTBEATS * values[beat] > values[lease] >= 2 * values[beat]:  # below: told already
        pair = (names[beat], names[lease])
        facts = _facts(pair, values[beat], values[lease]) | {"times": number(HEARTBEATS)}
        yield SettingProblem("settings_heartbeats", pair, facts)


def _frames(values: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[SettingProblem]:
    """Give sizes that leave no frame."""
    low, high = values["min_side"], values["max_side"]
    smallest = -(-low // SIDE_MULTIPLE) * SIDE_MULTIPLE
    if low <= high < smallest:
        pair = (names["min_side"], names["max_side"])
        yield SettingProblem("settings_no_side", pair, _facts(pair, low, high))
    elif values["max_megapixels"] * 1_000_000 < smallest * smallest:
        pair = (names["min_side"], names["max_megapixels"])
        yield SettingProblem("settings_no_frame", pair, _facts(pair, low, values["max_megapixels"]))


def _ports(
    values: Mapping[str, Any], names: Mapping[str, str], sound: frozenset[str]
) -> Iterator[SettingProblem]:
    """Give servers that would listen on one port."""
    used = {
        "studio_port": bool(values["studio"]),
        "telegram_webhook_port": bool(values["telegram_webhook_url"]),
        "health_port": values["health_port"] is not None,
        "gate_port": values["gate_port"] is not None,
    }
    listening = [name for name, on in used.items() if on and name in sound and values[name]]
    for low, high in combinations(listening, 2):
        if values[low] == values[high]:
            pair = (names[low], names[high])
            yield SettingProblem("settings_one_port", pair, _facts(pair, values[low], values[high]))


def _facts(pair: tuple[str, str], low: float, high: float) -> dict[str, str]:
    return {"low": pair[0], "high": pair[1], "is_low": number(low), "is_high": number(high)}
