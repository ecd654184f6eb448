"""Who writes from where on Telegram, and the stored address of the answer."""

from dataclasses import dataclass, replace
from typing import Self

from telegram import Message, User

from core.domain.jobs import ReplyTo
from core.domain.people import Asker, Caller, Requester

PLATFORM = "telegram"


@dataclass(frozen=True, slots=True)
class Address:
    """A stored Telegram reply address: only ids."""

    chat_id: int
    message_id: int  # our placeholder, which becomes the clip; 0 where there is none
    asked_id: int  # the person's message
    user_id: int
    thread_id: int | None = None
    locale: str = "en"
    silent: str = ""  # nothing is shown: the event by which the job was replaced by another one

    @property
    def chat_key(self) -> str:
        """Return the chat as the edit scheduler knows it."""
        return str(self.chat_id)

    def to_reply(self) -> ReplyTo:
        """Return the address as it is stored with the job."""
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
            },
        )

    @classmethod
    def of(cls, reply_to: ReplyTo) -> Self:
        """Return the address that :meth:`to_reply` stored."""
        at = reply_to.address
        return cls(
            chat_id=int(at["chat"]),
            message_id=int(at["message"]),
            asked_id=int(at["asked"]),
            user_id=int(at["user"]),
            thread_id=int(at["thread"]) if at["thread"] else None,
            locale=at["locale"],
            silent=at["silent"],
        )

    def moved(self, chat_id: int) -> Self:
        """Return the address after the group became another chat; message ids do not follow."""
        return replace(self, chat_id=chat_id, message_id=0, asked_id=0)


def person_of(user: User, message: Message) -> Caller:
    """Return who is asking: the user, the chat as place, the topic as channel."""
    return Caller(
        Requester(PLATFORM, str(user.id)),
        f"{PLATFORM}:{message.chat_id}",
        Asker(str(message.message_thread_id or message.chat_id)),
        user.language_code,
    )


def address_of(user: User, message: Message, placeholder: int) -> Address:
    """Return where the answer to ``message`` stands, in our message ``placeholder``."""
    return Address(
        chat_id=message.chat_id,
        message_id=placeholder,
        asked_id=message.message_id,
        user_id=user.id,
        thread_id=message.message_thread_id if message.is_topic_message else None,
        locale=user.language_code or "en",
    )
