"""Write numbers, amounts and moments as a language does.

CLDR, by Babel, says which plural a number takes and how decimals are marked; the units of
``units.toml`` are our own, since they are short and the same on every front.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache, lru_cache
from math import isfinite
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime
from babel.numbers import format_decimal

_LONG = 1e15  # from here on every digit would be written, and from 1e27 on none can be
OTHER = "other"  # of CLDR: every language has it


@cache
def locale_of(language: str) -> Locale:
    """Return what CLDR knows of ``language``."""
    return Locale.parse(language)


@lru_cache(maxsize=600)  # as many as there are; what else somebody sends is not kept for ever
def zone_of(name: str) -> tzinfo | None:
    """Return the time zone called ``name``, as ``Europe/Berlin``; None where there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # no such name, no name at all, or a folder of names
        return None


@cache
def plurals_of(language: str) -> frozenset[str]:
    """Return the plurals of ``language``, of which every choice in its sentences names all."""
    return frozenset({*locale_of(language).plural_form.tags, OTHER})


def forms(spec: str) -> dict[str, str]:
    """Return what a choice such as ``one=file|other=files`` holds, by plural."""
    return dict(form.split("=", 1) for form in spec.split("|"))


def is_choice(spec: str) -> bool:
    """Tell whether a field's format is a choice between plurals."""
    return "=" in spec


class Amounts:
    """Numbers and moments in one language."""

    def __init__(self, language: str, units: Mapping[str, str]) -> None:
        """Take the language, and its words for units by ``units.…``."""
        self._locale = locale_of(language)
        self._units = units

    def plural(self, value: float, spec: str) -> str:
        """Return the word for ``value`` out of a choice."""
        choice = forms(spec)
        return choice.get(self._locale.plural_form(value), choice[OTHER])

    def number(self, value: object) -> str:
        """Write a whole number with all its digits, another one with two behind the mark."""
        if isinstance(value, int):
            return str(value)  # seeds have more digits than a float keeps
        return self._decimal(float(str(value)), "0.##")

    def seconds(self, value: float) -> str:
        """Write seconds with at most one digit behind the mark."""
        return self._decimal(value, "0.#") + " s"

    def bytes(self, value: float) -> str:
        """Write an amount of bytes in decimal units."""
        if value < 1000:
            return f"{value:.0f} {self._units['units.bytes']}"
        for unit in ("kB", "MB"):
            value /= 1000
            if value < 1000:
                return f"{self._decimal(value, '0.0')} {unit}"
        return f"{self._decimal(value / 1000, '0.0')} GB"

    def minutes(self, seconds: float) -> str:
        """Write a time of more than a minute as minutes and seconds."""
        whole = round(seconds)
        if whole < 60:
            return f"{seconds:.0f} s"
        return f"{whole // 60} {self._units['units.minutes']} {whole % 60:02d} s"

    def moment(self, value: object, zone: tzinfo | None = None) -> str:
        """Write epoch milliseconds as a date and a time; a dash where there is none.

        Args:
            value: the moment; a text was written by a front whose platform shows it its own way.
            zone: of who reads it; None: it is written in UTC, which it says.
        """
        if value is None:
            return "–"
        if isinstance(value, str):
            return value
        try:
            at = datetime.fromtimestamp(float(str(value)) / 1000, zone or UTC)
        except (ValueError, OverflowError, OSError):  # of a damaged row: no year has that number
            return "–"
        written = format_datetime(at, self._units["units.clock"], at.tzinfo, locale=self._locale)
        return written if zone else f"{written} UTC"

    def _decimal(self, value: float, pattern: str) -> str:
        """Write ``value``; what has more digits than Babel's decimals keep, by its power of ten."""
        if isfinite(value) and abs(value) >= _LONG:
            return f"{value:g}"
        return format_decimal(value, pattern, self._locale, group_separator=False)
