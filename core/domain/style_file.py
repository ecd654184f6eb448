"""Read styles and defaults as operators write them, and write them as TOML.

``[style.<name>]`` has ``before``, ``after``, ``negative`` and options; ``[defaults]`` has options
of a whole place, ``[channel.<id>]`` those of one channel or topic.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from core.domain.limits import RequestLimits
from core.domain.options import BY_TYPED_NAME, Option, OptionKind
from core.domain.parsing import SHOWN, parse_option
from core.domain.request_builder import clean
from core.domain.styles import (
    MOST_STYLES,
    NAME,
    NAME_LENGTH,
    NONE,
    STYLE,
    WORDS,
    WORDS_LENGTH,
    Style,
    key_of,
    settable,
)
from core.domain.wildcards import DEEPEST, MOST, check_wildcards
from core.domain.words import StyleWords
from core.errors import InvalidInput, PromptTooLong, StyleRefused, StylesUnreadable

MOST_BYTES = 64 * 1024  # of a file
# a name of more parts than any table here has: reading one of thousands takes many seconds
_LONG_NAME = re.compile(r"""(?<![\w-])(?>(?>[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){16}""")
_WHOLE = "defaults"  # the table of what holds in all of a place


@dataclass(frozen=True, slots=True)
class StyleSet:
    """The styles and defaults of a place; defaults by channel, empty for all of it."""

    styles: tuple[Style, ...] = ()
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])


def read_style(name: str, given: Mapping[str, Any], limits: RequestLimits) -> Style:
    """Read a style from what was written of it.

    Raises:
        StyleRefused: naming what is not possible, and what is.
    """
    name, entry = " ".join(name.split()), f"style.{name[:SHOWN]}"
    if not (NAME.fullmatch(name) and len(name) <= NAME_LENGTH) or key_of(name) == NONE:
        raise StyleRefused(entry, "name", name[:SHOWN], f"a–z 0–9 _ - + & ' . ≤ {NAME_LENGTH}")
    words = {one: _words(entry, one, given.get(one, ""), limits) for one in WORDS}
    rest = {key: value for key, value in given.items() if key not in WORDS}
    options = read_options(entry, rest, limits)
    if STYLE in options:
        raise StyleRefused(entry, STYLE, str(options[STYLE])[:SHOWN], _names(with_style=False))
    return Style(StyleWords(name, **words), options)


def read_options(entry: str, given: Mapping[str, Any], limits: RequestLimits) -> dict[str, Any]:
    """Read options that are chosen for others, by the names that people type.

    Raises:
        StyleRefused: naming what is not possible, and what is.
    """
    found: dict[str, Any] = {}
    for key, value in given.items():
        option = BY_TYPED_NAME.get(key.lower().replace("-", "_"))
        if option is None or option not in settable():
            raise StyleRefused(entry, "option", key[:SHOWN], _names(with_style=True))
        if value not in ("", None):
            found[option.name] = _value(entry, option, value, limits)
    return found


def text_of(content: bytes) -> str:
    """Return what a file of styles says.

    Raises:
        StylesUnreadable: it is too large, or no text.
    """
    if len(content) > MOST_BYTES:
        raise StylesUnreadable(f"> {MOST_BYTES // 1024} kB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StylesUnreadable("UTF-8") from None


def read_toml(text: str, limits: RequestLimits) -> StyleSet:
    """Read a file of styles and defaults.

    Raises:
        StylesUnreadable: it is no such file.
        StyleRefused: something in it is not possible.
    """
    tables = _parsed(text)
    for key in tables:
        if key not in {STYLE, _WHOLE, "channel"}:
            raise StylesUnreadable(f"[{key[:SHOWN]}]: [style.…], [defaults], [channel.…]")
    named = _tables(tables, STYLE)
    styles = tuple(read_style(name, given, limits) for name, given in named.items())
    if len(styles) > MOST_STYLES:
        raise StyleRefused(STYLE, "style", str(len(styles)), f"≤ {MOST_STYLES}")
    if len({key_of(one.name) for one in styles}) < len(styles):
        raise StyleRefused(STYLE, "name", ", ".join(named)[:SHOWN], "1 ×")
    whole = _table(tables.get(_WHOLE, {}), _WHOLE)
    defaults = {"": read_options(_WHOLE, whole, limits)}
    for channel, given in _tables(tables, "channel").items():
        if not (channel.isascii() and channel.isdecimal() and len(channel) <= NAME_LENGTH):
            raise StyleRefused("channel", "channel", channel[:SHOWN], "0–9")
        defaults[channel] = read_options(f"channel.{channel}", given, limits)
    return StyleSet(styles, {key: values for key, values in defaults.items() if values})


def _parsed(text: str) -> dict[str, Any]:
    """Parse TOML of a stranger.

    Raises:
        StylesUnreadable: it is none, or would take long.
    """
    if (long := _LONG_NAME.search(text)) is not None:
        raise StylesUnreadable(f"{long[0][:SHOWN]}…")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits
        raise StylesUnreadable(str(error)[:200]) from None


def write_toml(styles: StyleSet) -> str:
    """Write styles and defaults; :func:`read_toml` reads them back."""
    tables: list[tuple[str, Mapping[str, Any]]] = [
        (f"style.{_quoted(one.name)}", style_values(one)) for one in styles.styles
    ]
    for channel, values in styles.defaults.items():
        tables.append((f"channel.{_quoted(channel)}" if channel else _WHOLE, values))
    return "\n".join(
        f"[{head}]\n" + "".join(f"{key} = {_quoted(value)}\n" for key, value in values.items())
        for head, values in tables
    )


def style_values(style: Style) -> dict[str, Any]:
    """Return what was written of ``style``, without what is empty."""
    words = {one: getattr(style.words, one) for one in WORDS}
    return {key: value for key, value in words.items() if value} | dict(style.options)


def _words(entry: str, name: str, given: object, limits: RequestLimits) -> str:
    if not isinstance(given, str):
        raise StyleRefused(entry, name, str(given)[:SHOWN], "“…”")
    try:
        text = clean(given, replace(limits, prompt_characters=WORDS_LENGTH))
        check_wildcards(text)
    except PromptTooLong as error:
        raise StyleRefused(entry, name, f"{error.length}", f"≤ {WORDS_LENGTH}") from None
    except InvalidInput:
        raise StyleRefused(entry, name, "{|}", f"≤ {MOST}, {{{{…}}}} ≤ {DEEPEST}") from None
    return text


def _value(entry: str, option: Option, given: object, limits: RequestLimits) -> Any:  # noqa: ANN401  # of the option's kind
    shown = str(given)[:SHOWN]
    low, high = option.range_in(limits) if option.bounds else (0.0, 0.0)
    between = f"{low:g} … {high:g} {option.unit}".rstrip()
    if option.name == STYLE:
        name = " ".join(str(given).split())
        if not (NAME.fullmatch(name) and len(name) <= NAME_LENGTH):
            raise StyleRefused(entry, option.typed, shown, f"≤ {NAME_LENGTH}")
        return name
    try:
        value = parse_option(option, given, limits)
    except InvalidInput:
        raise StyleRefused(entry, option.typed, shown, between) from None
    if option.kind is OptionKind.CHOICE and value not in option.choices:
        raise StyleRefused(entry, option.typed, shown, ", ".join(option.choices))
    if option.bounds is not None and not low <= value <= high:
        raise StyleRefused(entry, option.typed, shown, between)
    return value


def _names(*, with_style: bool) -> str:
    names = [option.typed for option in settable() if option.name != STYLE or with_style]
    return ", ".join(names)


def _tables(tables: Mapping[str, Any], key: str) -> dict[str, Mapping[str, Any]]:
    return {
        name: _table(one, f"{key}.{name}") for name, one in _table(tables.get(key, {}), key).items()
    }


def _table(value: object, head: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise StylesUnreadable(f"[{head[:SHOWN]}]")
    return cast("dict[str, Any]", value)


def _quoted(value: object) -> str:
    """Write a value; JSON's texts and numbers are TOML's too, once all signs are plain."""
    return json.dumps(value) if not isinstance(value, str) else _text(value)


def _text(value: str) -> str:
    written = json.dumps(value, ensure_ascii=False)
    return written.replace("\x7f", "\\u007F")
