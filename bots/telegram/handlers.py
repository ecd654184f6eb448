"""The natural ways in: commands, captions, replies, albums, answers to a question, plain media."""

from telegram import Message, Update, User

from bots.telegram.address import PLATFORM, person_of
from bots.telegram.admin_commands import run_admin
from bots.telegram.albums import Albums
from bots.telegram.attachments import sent_in
from bots.telegram.drafts import Draft
from bots.telegram.error_replies import answered
from bots.telegram.option_parser import Typed, command_of, options_of
from bots.telegram.rendering import texts_for
from bots.telegram.submission import Counter, advance, reply, update_key
from bots.telegram.user_commands import ACCOUNT, run_account
from core.domain.modes import MODES, Mode
from core.domain.requests import Options

GUESSED_FILES = 2  # no mode takes more


class Messages:
    """Takes every message and decides what it is."""

    def __init__(self, counter: Counter, albums: Albums) -> None:
        self._counter = counter
        self._albums = albums

    async def receive(self, update: Update) -> None:
        """Handle one message; nothing it can contain raises. Returns once nothing is left to do."""
        message, user = update.effective_message, update.effective_user
        if message is None or user is None:
            return
        if message.migrate_to_chat_id is not None:
            await self._follow(message.chat_id, message.migrate_to_chat_id)
            return
        key = update_key(update.update_id, self._counter.bot.id)
        lane = self._counter.lanes.of(message.chat_id, user.id)
        if not message.media_group_id:
            async with lane:
                await self._safely(user, [message], key)
            return
        album, first = self._albums.add(message)
        if not first:
            await album.used.wait()
            return
        async with lane, self._albums.complete(album) as parts:
            await self._safely(user, parts, key)

    async def _follow(self, old: int, new: int) -> None:
        """Let a group's rules follow it to its new id; addresses of jobs follow when used."""
        community = self._counter.desk.community
        await community.moderation.move_place(f"{PLATFORM}:{old}", f"{PLATFORM}:{new}")

    async def _safely(self, user: User, parts: list[Message], key: str) -> None:
        work = self._handle(user, parts, key)
        await answered(self._counter, parts[0], user.language_code, work)

    async def _handle(self, user: User, parts: list[Message], key: str) -> None:
        message = parts[0]
        texts = [part.text or part.caption for part in parts]
        typed = next(
            (found for text in texts if (found := command_of(text, self._counter.bot_name))), None
        )
        private = message.chat.type == "private"
        if message.sender_chat is not None:  # a channel or an anonymous administrator
            if typed is not None and not message.is_automatic_forward:
                await reply(self._counter, message, texts_for(None).say("t_anonymous"))
        elif typed is not None:
            await self._command(user, parts, typed, key, private=private)
        elif private or await self._answers_us(user, message):
            await self._go_on(user, parts, key)

    async def _command(
        self, user: User, parts: list[Message], typed: Typed, key: str, *, private: bool
    ) -> None:
        if typed.command in set(Mode):
            await self._generate(user, parts, Mode(typed.command), typed.rest, key)
        elif typed.command == "admin":
            await run_admin(self._counter, user, parts[0], typed.rest)
        elif typed.command in ACCOUNT:
            await run_account(self._counter, user, parts[0], typed.command, typed.rest, key)
        elif private:
            texts = texts_for(user.language_code)
            await reply(self._counter, parts[0], texts.say("t_unknown", command=typed.command))

    async def _generate(
        self, user: User, parts: list[Message], mode: Mode, rest: str, key: str
    ) -> None:
        """Begin a request of ``mode`` with everything at hand: own media, the replied-to's.

        Raises:
            InvalidInput: a value or file cannot work.
            Refused: rights, quota, policy, block or a closed intake.
        """
        await self._counter.rights.check(parts[0])
        draft = Draft(mode=mode, options=self._typed(rest))
        replied = parts[0].reply_to_message
        if MODES[mode].slots:
            draft = await self._with_media(draft, user, [replied] if replied else [])
            draft = await self._with_media(draft, user, parts)
        elif not draft.options.prompt and replied is not None and replied.text:
            draft = draft.told(self._typed(replied.text))
        await advance(self._counter, user, parts[0], draft, key)

    async def _go_on(self, user: User, parts: list[Message], key: str) -> None:
        """Go on with what the person began: another file, or words.

        Raises:
            InvalidInput: a value or file cannot work.
            Refused: quota, policy, block or a closed intake.
        """
        message = parts[0]
        begun = await self._counter.drafts.load(message.chat_id, user.id) or Draft()
        sent = [found for part in parts if (found := sent_in(part))]
        words = next((text for part in parts if (text := part.text or part.caption)), None)
        if not sent and not words:
            await reply(self._counter, message, texts_for(user.language_code).say("t_unusable"))
            return
        if sent and not any(begun.wants(file.kind) for file in sent):
            begun = Draft()  # it was complete; this is something new
        if begun.mode is None and len(begun.loose) + len(sent) > GUESSED_FILES:
            begun = Draft(options=begun.options)
        draft = begun.told(self._typed(words or ""))
        await advance(self._counter, user, message, await self._with_media(draft, user, parts), key)

    def _typed(self, text: str) -> Options:
        """Return the options in ``text``.

        Raises:
            InvalidInput: something there is no option, or no number where one is needed.
        """
        return options_of(text, self._counter.desk.service.limits)

    async def _with_media(self, draft: Draft, user: User, parts: list[Message]) -> Draft:
        """Return the draft with every file of ``parts`` that it wants, fetched and admitted.

        Raises:
            MediaRefused: a file cannot be used.
        """
        for part in parts:
            sent = sent_in(part)
            if sent is None or not draft.wants(sent.kind):
                continue
            if draft.mode is None and len(draft.loose) >= GUESSED_FILES:
                break
            role = next((s.role for s in draft.missing() if s.kind is sent.kind), sent.kind)
            owner = person_of(user, part).requester
            draft = draft.with_file(await self._counter.intake.receive(sent, role, owner))
        return draft

    async def _answers_us(self, user: User, message: Message) -> bool:
        """Return whether a group message answers a question of ours to this person."""
        replied = message.reply_to_message
        if replied is None or replied.from_user is None:
            return False
        if replied.from_user.id != self._counter.bot.id:
            return False
        return await self._counter.drafts.load(message.chat_id, user.id) is not None
