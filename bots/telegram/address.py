"""Identify who writes from where on Telegram, and store where the answer goes."""

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Self

from telegram import Message, User

from core.domain.decoding import whole
from core.domain.jobs import Job, ReplyTo
from core.domain.people import Asker, Caller, Requester
from core.errors import DeliveryImpossible

PLATFORM = "telegram"
_LINKED = re.compile(r"[@#$/\\:]|\.(?=\S)")  # what makes apps take a word for a link or a mention
MOST_NAME = 64  # characters of a name in a caption


@dataclass(frozen=True, slots=True)
class TelegramAddress:
    """Where the answer to a message goes; only ids."""

    chat_id: int
    message_id: int  # the placeholder, which becomes the clip; 0 where there is none
    asked_id: int  # the person's message
    user_id: int
    thread_id: int | None = None
    locale: str = "en"
    spoiler: bool = False  # the clip is hidden until it is tapped
    guessed: bool = False  # the mode was not said
    styles: bool = False  # the chat has named styles to choose among
    notes: str = ""  # what people are told of their request, a line each
    silent: str = ""  # the event that replaced the job by another one; then nothing is shown
    name: str = ""  # of who asked in a group, as the platform shows them; captions name them
    album: str = ""  # the group of the person's message, whose caption may stand on any part

    @property
    def place(self) -> str:
        """Name the place as :func:`caller_of` does."""
        return f"{PLATFORM}:{self.chat_id}"

    @property
    def is_group(self) -> bool:
        """Tell whether others read this chat; ids of people are above 0."""
        return self.chat_id < 0

    @property
    def chat_key(self) -> str:
        """Name the chat for the edit scheduler."""
        return str(self.chat_id)

    def to_reply(self) -> ReplyTo:
        """Convert the address to what is stored with the job."""
        return ReplyTo(
            PLATFORM,
            {
                "chat": str(self.chat_id),
                "message": str(self.message_id),
                "asked": str(self.asked_id),
                "user": str(self.user_id),
                "thread": str(self.thread_id or ""),
                "locale": self.locale,
                "silent": self.silent,
                "spoiler": str(int(self.spoiler)),
                "guessed": str(int(self.guessed)),
                "styles": str(int(self.styles)),
                "notes": self.notes,
                "name": self.name,
                "album": self.album,
            },
        )

    @classmethod
    def of(cls, reply_to: ReplyTo) -> Self:
        """Read the address that :meth:`to_reply` stored, also where another version did.

        Without a chat it is the person's own; without a message a new one is posted.

        Raises:
            DeliveryImpossible: it names neither a chat nor a person.
        """
        at = reply_to.address
        chat_id, user_id = whole(at, "chat"), whole(at, "user")
        if not chat_id and not user_id:
            raise DeliveryImpossible("address_unreadable")
        return cls(
            chat_id=chat_id or user_id,
            message_id=whole(at, "message") if chat_id else 0,
            asked_id=whole(at, "asked") if chat_id else 0,
            user_id=user_id,
            thread_id=(whole(at, "thread") or None) if chat_id else None,
            locale=at.get("locale", "en"),
            spoiler=at.get("spoiler") == "1",
            guessed=at.get("guessed") == "1",
            styles=at.get("styles") == "1",
            notes=at.get("notes", ""),
            name=at.get("name", ""),
            album=at.get("album", ""),
            silent="" if at.get("silent") == "0" else at.get("silent", ""),  # once a flag
        )

    def ways(self) -> "list[Self]":
        """List where a result may go: its message, a new one in place, the private chat."""
        new = replace(self, message_id=0)
        found = [self] if self.message_id else []
        found.append(new)
        if self.thread_id is not None:
            found.append(replace(new, thread_id=None))
        if self.user_id not in {0, self.chat_id}:
            found.append(replace(new, chat_id=self.user_id, asked_id=0, thread_id=None))
        return found

    def moved(self, chat_id: int) -> Self:
        """Change the chat after a group became a supergroup; message ids are lost."""
        return replace(self, chat_id=chat_id, message_id=0, asked_id=0)


def caller_of(user: User, message: Message) -> Caller:
    """Identify who is asking: the user, the chat as place, the topic as channel."""
    return Caller(
        Requester(PLATFORM, str(user.id)),
        f"{PLATFORM}:{message.chat_id}",
        Asker(str(message.message_thread_id or message.chat_id)),
        user.language_code,
    )


def is_veiled(job: Job) -> bool:
    """Tell whether a clip is hidden until somebody opens it, wherever it was asked for."""
    at = job.reply_to
    veiled = at.address.get("spoiler")
    return veiled == "1" if at.platform == PLATFORM else veiled not in {None, "0"}


def address_of(
    user: User, message: Message, placeholder: int, locale: str | None, *, spoiler: bool = False
) -> TelegramAddress:
    """Address the answer to ``message``, in the bot's message ``placeholder``."""
    return TelegramAddress(
        chat_id=message.chat_id,
        message_id=placeholder,
        asked_id=message.message_id,
        user_id=user.id,
        thread_id=message.message_thread_id if message.is_topic_message else None,
        locale=locale or "en",
        spoiler=spoiler,
        name=display_name(user) if message.chat_id < 0 else "",
        album=message.media_group_id or "",
    )


def display_name(user: User) -> str:
    """Return what a person calls themselves, on one line, without a mention in it."""
    name = " ".join(user.full_name.split())
    plain = "".join(c for c in name if unicodedata.category(c)[0] in "LNPSZM")
    return " ".join(_LINKED.sub(" ", plain).split())[:MOST_NAME]
