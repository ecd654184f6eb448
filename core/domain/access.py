"""Who may use the bots: what an operator lists, read into entries.

``discord:user:1`` (or ``discord:1``), ``discord:server:1`` (whoever asks there),
``discord:members:1`` (members of that server, wherever they ask), ``discord:role:1``,
``telegram:user:1``, ``telegram:chat:-1`` (or ``telegram:-1``), ``telegram:members:-1``, ``own``
(the places that operators own or manage) and ``everyone``, also of one platform.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from core.domain.people import Caller, Requester

OWN, EVERYONE = "own", "everyone"
CHATS = ("discord", "telegram")  # platforms that anybody can reach; others have their own sign-in
_ID = re.compile(r"-?[0-9]{1,20}")


class AccessKind(StrEnum):
    """What an entry is about."""

    USER = "user"
    SERVER = "server"
    CHAT = "chat"
    MEMBERS = "members"
    ROLE = "role"
    OWN = "own"
    EVERYONE = "everyone"


KINDS: dict[str, tuple[AccessKind, ...]] = {
    "discord": (AccessKind.USER, AccessKind.SERVER, AccessKind.MEMBERS, AccessKind.ROLE),
    "telegram": (AccessKind.USER, AccessKind.CHAT, AccessKind.MEMBERS),
}


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """Somebody, or everybody of something, on one platform."""

    platform: str
    kind: AccessKind
    id: str = ""  # empty for those of nobody in particular

    @property
    def key(self) -> str:
        """Return the one way to write it."""
        return ":".join(part for part in (self.platform, self.kind.value, self.id) if part)

    @property
    def person(self) -> Requester | None:
        """Return whom it names; None where it is not one person."""
        return Requester(self.platform, self.id) if self.kind is AccessKind.USER else None

    @classmethod
    def of_person(cls, person: Requester) -> Self:
        """Return the entry of one person."""
        return cls(person.platform, AccessKind.USER, person.user_id)

    @classmethod
    def of_place(cls, place: str) -> Self:
        """Return the entry of a place, as of :attr:`core.domain.people.Caller.place`."""
        platform, _, id_ = place.partition(":")
        return cls(platform, AccessKind.SERVER if platform == "discord" else AccessKind.CHAT, id_)


def is_open(caller: Caller) -> bool:
    """Tell whether the caller comes from where no list of ours decides who may enter."""
    return caller.requester.platform not in CHATS


def read_entries(typed: str) -> list[AccessEntry]:
    """Read a list with commas.

    Raises:
        ValueError: with the entry that is none.
    """
    return [one for part in typed.split(",") if part.strip() for one in read_entry(part.strip())]


def read_entry(typed: str) -> list[AccessEntry]:
    """Read one entry, which may be about each platform.

    Raises:
        ValueError: with the entry, where it is none.
    """
    *before, id_ = typed.split(":")
    if id_ in {OWN, EVERYONE} and len(before) <= 1:
        platforms = before or CHATS
        if all(platform in CHATS for platform in platforms):
            return [AccessEntry(platform, AccessKind(id_)) for platform in platforms]
    if not before or len(before) > 2 or before[0] not in CHATS or not _ID.fullmatch(id_):
        raise ValueError(typed)
    platform = before[0]
    usual = AccessKind.CHAT if id_.startswith("-") else AccessKind.USER
    named = before[1] if len(before) == 2 else usual
    if named not in KINDS[platform] or (id_.startswith("-") and platform == "discord"):
        raise ValueError(typed)
    return [AccessEntry(platform, AccessKind(named), id_)]
