"""Who asks, where, with which roles, and who pays.

Guests of the Studio choose the secret that names them, as many as they like. So all of them pay
from one account and have one share of the device together, while jobs and history stay each
guest's own; and what one network uses of that account is bounded too.
"""

from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks: a platform (``discord``, ``telegram``, ``studio``, ``cli``) and its user id."""

    platform: str
    user_id: str

    @property
    def key(self) -> str:
        """Return the name of the account that pays, ``platform:user_id``."""
        return f"{self.platform}:{self.user_id}"

    @property
    def private_places(self) -> tuple[str, str]:
        """Return the places where nobody else is, as Telegram and Discord have them: their chats.

        A chat of Telegram with one person has the number of that person.
        """
        return self.key, f"{self.platform}:dm-{self.user_id}"

    @classmethod
    def from_key(cls, key: str) -> Self:
        """Read the requester whose :attr:`key` is ``key``."""
        platform, _, user_id = key.partition(":")
        return cls(platform, user_id)


@dataclass(frozen=True, slots=True)
class Asker:
    """From where in a place a request comes."""

    channel: str = ""  # channel, thread or topic id
    roles: frozenset[str] = frozenset()  # role ids of the person; empty where there are none
    parent: str = ""  # the channel that a thread belongs to
    age_gated: bool = False  # the platform lets adults only into this channel


GUESTS = "studio:guests"


_GUEST = "studio:guest-"  # what a guest's own key begins with


@dataclass(frozen=True, slots=True)
class Payer:
    """The account that pays, and what bounds it."""

    key: str
    limit_ms: int | None = None  # of a window; None: the usual allowance, or that of all guests
    network: str = ""  # keyed hash of where a guest asks from; empty: not bounded by it
    place: str = ""  # as of the caller; empty: from none
    tier: str = ""  # what they are to who lends the device; empty: it is ours
    roles: frozenset[str] = frozenset()  # role ids, as of the caller
    raised: bool = False  # an operator gave the limit to this one: it may exceed the usual

    @classmethod
    def of(cls, requester: Requester) -> Self:
        """Return who pays for ``requester`` where nothing else is said: guests never for one."""
        return cls(GUESTS if requester.key.startswith(_GUEST) else requester.key)

    @classmethod
    def guest(cls, network: str) -> Self:
        """Return the account of all guests, for one who asks from ``network``."""
        return cls(GUESTS, network=network)

    @property
    def shared(self) -> bool:
        """Tell whether this is the account of all guests."""
        return self.key == GUESTS


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, and where; ``place`` is ``discord:<guild>``, ``telegram:<chat>`` or such."""

    requester: Requester
    place: str
    asker: Asker = field(default_factory=Asker)
    locale: str | None = None
    has_operator_role: bool = False  # by the platform's roles; the settings name people themselves
    manages_place: bool = False  # the platform lets them run it; asked where it matters
    earlier: tuple[Requester, ...] = ()  # other keys of the same person, joined to nothing
    payer: Payer | None = None  # None: their own account, or that of all guests for a guest
