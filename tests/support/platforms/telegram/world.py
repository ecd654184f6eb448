"""What exists on the local Telegram: people, chats, messages and files."""

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

BOT = {
    "id": 4242,
    "is_bot": True,
    "first_name": "Clapper",
    "username": "clapper_bot",
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": True,
}


@dataclass
class Chat:
    """A private chat, group or supergroup; ``moved_to`` makes every call fail with a migration."""

    id: int
    type: str = "private"
    moved_to: int | None = None
    blocked: bool = False  # the person blocked the bot, or the group removed it
    may_send_media: bool = True  # the bot's own right
    members_may: bool = True  # what the group lets all members send
    managers: set[int] = field(default_factory=set[int])  # administrators
    strangers: set[int] = field(default_factory=set[int])  # who does not belong to it
    topics: frozenset[int] | None = None  # the topics that exist, where it is a forum

    def payload(self) -> dict[str, Any]:
        """Return the chat object."""
        base: dict[str, Any] = {"id": self.id, "type": self.type}
        if self.type == "private":
            return {**base, "first_name": f"user{self.id}"}
        return {**base, "title": f"group {self.id}"}


@dataclass
class Stored:
    """One message of the bot with every state it had."""

    id: int
    chat_id: int
    payload: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    states: list[str] = field(default_factory=list[str])
    deleted: bool = False
    method: str = "sendMessage"

    @property
    def key(self) -> tuple[int, int]:
        """Return where it is: chat and message id."""
        return self.chat_id, self.id

    @property
    def text(self) -> str:
        """Return the text or caption now."""
        return str(self.payload.get("text") or self.payload.get("caption") or "")

    @property
    def video(self) -> bytes | None:
        """Return the video shown now."""
        return self.files.get("video")

    def buttons(self) -> list[dict[str, Any]]:
        """Return all buttons shown now that the bot is told of."""
        markup: dict[str, Any] = self.payload.get("reply_markup") or {}
        rows: list[list[dict[str, Any]]] = markup.get("inline_keyboard") or []
        return [item for row in rows for item in row if "callback_data" in item]

    def callback_data(self) -> list[str]:
        """Return the data of all buttons shown now."""
        return [item["callback_data"] for item in self.buttons()]

    def label(self, fragment: str) -> str:
        """Return what the button says that has ``fragment`` in its data."""
        return next(item["text"] for item in self.buttons() if fragment in item["callback_data"])

    def button(self, fragment: str) -> str:
        """Return the data of the button that has ``fragment`` in it."""
        return next(data for data in self.callback_data() if fragment in data)


class World:
    """Everything that exists; ``until`` waits for a condition on it."""

    def __init__(self, upload_limit: int = 50_000_000, download_limit: int = 20_000_000) -> None:
        self.upload_limit = upload_limit  # bytes, decimal megabytes as Telegram counts
        self.download_limit = download_limit
        self.chats: dict[int, Chat] = {}
        self.messages: dict[tuple[int, int], Stored] = {}
        self.said_by_people: dict[tuple[int, int], dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}  # file_id → content
        self.updates: list[dict[str, Any]] = []
        self.answers: dict[str, dict[str, Any]] = {}  # callback query id → answer
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.commands: dict[str, list[dict[str, Any]]] = {}
        self.descriptions: dict[tuple[str, str], str] = {}  # long or short, language
        self.webhook: dict[str, Any] = {}
        self.folder: Path | None = None  # set: a server with --local that keeps files there
        self.counts_down = True  # False: a server older than <tg-time>
        self._pushed: dict[int, int] = {}
        self._ids = itertools.count(1000)
        self._update_ids = itertools.count(1)
        self._changed = asyncio.Event()

    def next_id(self) -> int:
        """Return a fresh message id."""
        return next(self._ids)

    def private(self, user_id: int) -> Chat:
        """Return the private chat with a person."""
        return self.chats.setdefault(user_id, Chat(user_id))

    def group(self, chat_id: int = -100, kind: str = "supergroup") -> Chat:
        """Return a group."""
        return self.chats.setdefault(chat_id, Chat(chat_id, kind))

    def confirm(self, offset: int) -> None:
        """Forget the updates below ``offset``, as the bot says that it has them."""
        self.updates = [update for update in self.updates if update["update_id"] >= offset]

    def keep(self, file_id: str, content: bytes) -> str:
        """Store a file; returns its id."""
        self.files[file_id] = content
        return file_id

    def push(self, **update: Any) -> int:
        """Queue an update for the bot; returns its id."""
        number = next(self._update_ids)
        self.updates.append({"update_id": number, **update})
        self.notify()
        return number

    def said(self, user_id: int, chat: Chat, **content: Any) -> dict[str, Any]:
        """Let a person send a message; returns the message object."""
        sender = {"id": user_id, "is_bot": False, "first_name": f"user{user_id}"}
        message = {
            "message_id": self.next_id(),
            "date": int(time.time()),
            "chat": chat.payload(),
            "from": {**sender, "language_code": "en"},
            **content,
        }
        text = message.get("text") or message.get("caption")
        if text and str(text).startswith("/"):
            key = "entities" if "text" in message else "caption_entities"
            length = len(str(text).split()[0])
            message.setdefault(key, [{"type": "bot_command", "offset": 0, "length": length}])
        self.said_by_people[chat.id, message["message_id"]] = message
        self._pushed[id(message)] = self.push(message=message)
        return message

    def edited(self, message: dict[str, Any], **content: Any) -> dict[str, Any]:
        """Let a person edit a message of theirs."""
        now = {**message, **content, "edit_date": int(time.time())}
        self.push(edited_message=now)
        return now

    def added(self, chat: Chat) -> None:
        """Let somebody add the bot to a group."""
        self.said(501, chat, new_chat_members=[BOT])

    def number_of(self, message: dict[str, Any]) -> int:
        """Return the update id under which a message of :meth:`said` was handed over."""
        return self._pushed[id(message)]

    def notify(self) -> None:
        """Wake everybody who waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self) -> None:
        """Wait for the next change."""
        await self._changed.wait()

    async def until(self, condition: Callable[[], Any], timeout: float = 60.0) -> Any:
        """Return the first true value of ``condition``, tried after every change.

        Raises:
            TimeoutError: it never became true.
        """
        try:
            async with asyncio.timeout(timeout):
                while not (value := condition()):
                    await self._changed.wait()
                return value
        except TimeoutError:
            seen = [(message.id, message.states) for message in self.messages.values()]
            calls = [method for method, _ in self.calls if method != "getUpdates"][-10:]
            raise TimeoutError(seen[-10:], calls) from None

    def shown(self, chat_id: int | None = None) -> list[Stored]:
        """Return the bot's messages that people can see, oldest first."""
        return [
            message
            for message in sorted(self.messages.values(), key=lambda item: item.id)
            if not message.deleted and chat_id in {None, message.chat_id}
        ]

    def with_video(self, chat_id: int | None = None) -> list[Stored]:
        """Return the messages that show a video."""
        return [message for message in self.shown(chat_id) if message.video]
