"""The kinds of text that a setting may hold: addresses, accounts, ids.

Each returns the text as it is used, or raises :class:`core.settings.problems.SettingRefused`.
"""

import ipaddress
import re
from contextlib import suppress
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from core.domain.access import read_entries
from core.runtime.terminal_text import unprintable
from core.settings.problems import SettingRefused

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?")
_PLATFORM = re.compile(r"[a-z][a-z0-9_]*")
_NAMED = re.compile(r"role:[0-9]{1,20}|(?:discord|telegram):-?[0-9]{1,20}")  # roles, places
_MINUTES = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?")
_BY_NUMBER = frozenset({"discord", "telegram"})  # whose people are known by a number
_QUOTES = "'\""  # which a file of settings takes away, and a container's environment keeps
LONGEST = 4096  # characters: what Linux takes as a path


def clean_text(value: object) -> object:
    """Return a text without blanks around it; other values as they are.

    Raises:
        SettingRefused: it holds control characters or bytes that are no text, stands in quotes, or
            is far too long.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if unprintable(text):
        raise SettingRefused("setting_unprintable")
    if len(text) > 1 and text[0] in _QUOTES and text[-1] == text[0]:
        raise SettingRefused("setting_quoted")
    if len(text) > LONGEST:
        raise SettingRefused("setting_too_long", most=str(LONGEST))
    return text


def _address(text: str, *schemes: str) -> str:
    if not text:
        return text
    try:
        parts = urlsplit(text)
        valid = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, half of an IPv6 address
        valid = False
    if not valid or any(character.isspace() for character in text):
        raise SettingRefused("setting_no_address", schemes=", ".join(f"{s}://…" for s in schemes))
    return text


def web_address(text: str) -> str:
    """Return ``text``, empty or an http(s) address."""
    return _address(text, "https", "http")


def socket_address(text: str) -> str:
    """Return ``text``, empty or a WebSocket address."""
    return _address(text, "wss", "ws")


def listening_host(text: str) -> str:
    """Return ``text``, an address or a name to listen at, without the brackets of IPv6.

    Raises:
        SettingRefused: it is something else, such as an address with a port.
    """
    host = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    with suppress(ValueError):
        return str(ipaddress.ip_address(host))
    if not _HOST.fullmatch(host):
        raise SettingRefused("setting_no_host")
    return host


def entries(text: str) -> list[str]:
    """Return what ``text`` lists with commas, in its order, without blanks."""
    return [part.strip() for part in text.split(",") if part.strip()]


def accounts(text: str) -> str:
    """Return ``text``: accounts, ``platform:id`` each, comma separated.

    Of a platform whose people have numbers the id is one: a name would match nobody. Of the Studio
    only who signed in by the user file can be meant: guests and programs have no rights of others.

    Raises:
        SettingRefused: an entry is no account.
    """
    for entry in entries(text):
        platform, colon, user = entry.partition(":")
        known = colon and _PLATFORM.fullmatch(platform) and user and not re.search(r"\s", user)
        nobody = platform in _BY_NUMBER and not (user.isascii() and user.isdecimal())
        nobody |= platform == "studio" and not re.fullmatch(r"user-.+", user)
        if not known or nobody:
            raise SettingRefused("setting_no_account", entry=entry[:60])
    return text


def numbers(text: str) -> str:
    """Return ``text``: ids in digits, comma separated.

    Raises:
        SettingRefused: an entry is no id.
    """
    for entry in entries(text):
        if not (entry.isascii() and entry.isdecimal()):
            raise SettingRefused("setting_no_id", entry=entry[:60])
    return text


def allowed(text: str) -> str:
    """Return ``text``: who may use the bots (:mod:`core.domain.access`).

    Raises:
        SettingRefused: an entry is none.
    """
    try:
        read_entries(text)
    except ValueError as error:
        raise SettingRefused("setting_no_entry", entry=str(error)[:60]) from None
    return text


def minutes(text: str) -> str:
    """Return ``text``: names with minutes, ``role:1=60``, comma separated.

    Raises:
        SettingRefused: an entry is none.
    """
    minutes_of(text)
    return text


def minutes_of(text: str) -> dict[str, float]:
    """Return the minutes that ``text`` lists, by name.

    Raises:
        SettingRefused: an entry is no name with minutes from 0 on.
    """
    found: dict[str, float] = {}
    for entry in entries(text):
        name, _, amount = (part.strip() for part in entry.rpartition("="))
        if not _NAMED.fullmatch(name) or not _MINUTES.fullmatch(amount):
            raise SettingRefused("setting_no_minutes", entry=entry[:60])
        found[name] = float(amount)
    return found


WebAddress = Annotated[str, AfterValidator(web_address)]
SocketAddress = Annotated[str, AfterValidator(socket_address)]
ListeningHost = Annotated[str, AfterValidator(listening_host)]
Accounts = Annotated[str, AfterValidator(accounts)]
Allowed = Annotated[str, AfterValidator(allowed)]
Minutes = Annotated[str, AfterValidator(minutes)]
Numbers = Annotated[str, AfterValidator(numbers)]
