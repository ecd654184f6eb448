"""The natural ways in: commands, captions, replies, albums, answers to a question, plain media."""

from collections.abc import Awaitable, Callable

from telegram import Message, Update, User

from bots.telegram.account import ACCOUNT
from bots.telegram.admin import run_admin
from bots.telegram.albums import Albums
from bots.telegram.desk import Counter, advance, update_key
from bots.telegram.drafts import Draft
from bots.telegram.errors import answered
from bots.telegram.intake import sent_in
from bots.telegram.parse import Typed, command_of, options_of
from core.modes import MODES, Mode

Handler = Callable[[Counter, User, Message, str, str], Awaitable[None]]


class Messages:
    """Takes every message and decides what it is."""

    def __init__(self, counter: Counter, albums: Albums) -> None:
        self._counter = counter
        self._albums = albums

    async def receive(self, update: Update) -> None:
        """Handle one message; nothing it can contain raises."""
        message, user = update.effective_message, update.effective_user
        if message is None or user is None or update.edited_message is not None:
            return
        key = update_key(update.update_id, self._counter.bot.id)
        if message.media_group_id:
            self._albums.add(message, lambda parts: self._safely(user, parts, key))
            return
        await self._safely(user, [message], key)

    async def _safely(self, user: User, parts: list[Message], key: str) -> None:
        work = self._handle(user, parts, key)
        await answered(self._counter, parts[0], user.language_code, work)

    async def _handle(self, user: User, parts: list[Message], key: str) -> None:
        texts = [part.text or part.caption for part in parts]
        typed = next(
            (found for text in texts if (found := command_of(text, self._counter.bot_name))), None
        )
        if typed is not None:
            await self._command(user, parts, typed, key)
        elif parts[0].chat.type == "private" or await self._answers_us(user, parts[0]):
            await self._go_on(user, parts, key)

    async def _command(self, user: User, parts: list[Message], typed: Typed, key: str) -> None:
        if typed.command in set(Mode):
            await self._generate(user, parts, Mode(typed.command), typed.rest, key)
        elif typed.command == "admin":
            await run_admin(self._counter, user, parts[0], typed.rest)
        elif typed.command in ACCOUNT:
            await ACCOUNT[typed.command](self._counter, user, parts[0], typed.rest, key)

    async def _generate(
        self, user: User, parts: list[Message], mode: Mode, rest: str, key: str
    ) -> None:
        """Begin a request of ``mode`` with everything at hand: own media, the replied-to's.

        Raises:
            InvalidInput: a value or file cannot work.
            Refused: quota, policy, block or a closed intake.
        """
        draft = Draft(mode=mode, options=options_of(rest))
        replied = parts[0].reply_to_message
        if MODES[mode].slots:
            draft = await self._with_media(draft, [replied] if replied else [])
            draft = await self._with_media(draft, parts)
        elif not draft.options.prompt and replied is not None and replied.text:
            draft = Draft(mode=mode, options=options_of(replied.text))
        await advance(self._counter, user, parts[0], draft, key)

    async def _go_on(self, user: User, parts: list[Message], key: str) -> None:
        """Go on with what the person began: another file, or the words that were asked for.

        Raises:
            InvalidInput: a value or file cannot work.
            Refused: quota, policy, block or a closed intake.
        """
        message = parts[0]
        draft = await self._counter.drafts.load(message.chat_id, user.id) or Draft()
        carries = any(sent_in(part) for part in parts)
        if not carries and (draft.mode is None or not draft.needs_prompt()):
            return
        if not carries:
            await advance(self._counter, user, message, self._told(draft, message), key)
            return
        if draft.mode is None and len(draft.loose) + len(parts) > 2:
            draft = Draft()
        draft = await self._with_media(draft, parts)
        caption = next((part.caption for part in parts if part.caption), None)
        if caption and not draft.options.prompt:
            options = options_of(caption)
            draft = Draft(draft.mode, options, draft.media, draft.loose)
        await advance(self._counter, user, message, draft, key)

    @staticmethod
    def _told(draft: Draft, message: Message) -> Draft:
        return Draft(draft.mode, options_of(message.text or ""), draft.media, draft.loose)

    async def _with_media(self, draft: Draft, parts: list[Message]) -> Draft:
        """Return the draft with every file of ``parts`` fetched and admitted.

        Raises:
            MediaRefused: a file cannot be used.
        """
        for part in parts:
            sent = sent_in(part)
            if sent is None:
                continue
            role = next((s.role for s in draft.missing() if s.kind is sent.kind), sent.kind)
            draft = draft.with_file(await self._counter.intake.receive(sent, role))
        return draft

    async def _answers_us(self, user: User, message: Message) -> bool:
        """Return whether a group message answers a question of ours to this person."""
        replied = message.reply_to_message
        if replied is None or replied.from_user is None:
            return False
        if replied.from_user.id != self._counter.bot.id:
            return False
        return await self._counter.drafts.load(message.chat_id, user.id) is not None
