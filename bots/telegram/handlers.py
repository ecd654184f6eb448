"""Handle messages: commands, captions, replies, albums, answers to a question, plain media."""

from telegram import Message, Update, User

from bots.telegram.address import PLATFORM, person_of
from bots.telegram.admin_commands import run_admin
from bots.telegram.albums import Albums
from bots.telegram.attachments import attachment_of
from bots.telegram.context import TelegramContext
from bots.telegram.error_replies import reply_on_error
from bots.telegram.messages import reply
from bots.telegram.option_parser import TypedCommand, command_of, options_of
from bots.telegram.rendering import texts_for
from bots.telegram.request_form import RequestForm
from bots.telegram.submission import continue_form, update_key
from bots.telegram.user_commands import ACCOUNT, run_account
from core.domain.modes import MODES, Mode
from core.domain.requests import Options

GUESSED_FILES = 2  # no mode takes more


class MessageRouter:
    """Decides what each message is, and handles it."""

    def __init__(self, context: TelegramContext, albums: Albums) -> None:
        self._context = context
        self._albums = albums

    async def receive(self, update: Update) -> None:
        """Handle one message completely; errors become answers, none is raised."""
        message, user = update.effective_message, update.effective_user
        if message is None or user is None:
            return
        if message.migrate_to_chat_id is not None:
            await self._move_group(message.chat_id, message.migrate_to_chat_id)
            return
        key = update_key(update.update_id, self._context.bot.id)
        lock = self._context.locks.of(message.chat_id, user.id)
        if not message.media_group_id:
            async with lock:
                await self._handle_or_explain(user, [message], key)
            return
        album, first = self._albums.add(message)
        if not first:
            await album.used.wait()
            return
        async with lock, self._albums.complete(album) as parts:
            await self._handle_or_explain(user, parts, key)

    async def _move_group(self, old: int, new: int) -> None:
        """Move a group's rules to its new id; reply addresses move when they are used."""
        community = self._context.desk.community
        await community.move_place(f"{PLATFORM}:{old}", f"{PLATFORM}:{new}")

    async def _handle_or_explain(self, user: User, parts: list[Message], key: str) -> None:
        work = self._handle(user, parts, key)
        await reply_on_error(self._context, parts[0], user.language_code, work)

    async def _handle(self, user: User, parts: list[Message], key: str) -> None:
        message = parts[0]
        texts = [part.text or part.caption for part in parts]
        typed = next(
            (found for text in texts if (found := command_of(text, self._context.bot_name))), None
        )
        private = message.chat.type == "private"
        if message.sender_chat is not None:  # a channel or an anonymous administrator
            if typed is not None and not message.is_automatic_forward:
                await reply(self._context, message, texts_for(None).say("t_anonymous"))
        elif typed is not None:
            await self._command(user, parts, typed, key, private=private)
        elif private or await self._answers_bot(user, message):
            await self._continue_form(user, parts, key)

    async def _command(
        self, user: User, parts: list[Message], typed: TypedCommand, key: str, *, private: bool
    ) -> None:
        if typed.command in set(Mode):
            await self._generate(user, parts, Mode(typed.command), typed.rest, key)
        elif typed.command == "admin":
            await run_admin(self._context, user, parts[0], typed.rest)
        elif typed.command in ACCOUNT:
            await run_account(self._context, user, parts[0], typed.command, typed.rest, key)
        elif private:
            texts = texts_for(user.language_code)
            await reply(self._context, parts[0], texts.say("t_unknown", command=typed.command))

    async def _generate(
        self, user: User, parts: list[Message], mode: Mode, rest: str, key: str
    ) -> None:
        """Begin a request of ``mode`` with the files of the message and of the one it replies to.

        Raises:
            InvalidInput: a value or file cannot work.
            Refused: permissions, quota, policy, block or a closed intake.
        """
        await self._context.permissions.check(parts[0])
        form = RequestForm(mode=mode, options=self._options(rest))
        replied = parts[0].reply_to_message
        if MODES[mode].slots:
            form = await self._with_media(form, user, [replied] if replied else [])
            form = await self._with_media(form, user, parts)
        elif not form.options.prompt and replied is not None and replied.text:
            form = form.with_options(self._options(replied.text))
        await continue_form(self._context, user, parts[0], form, key)

    async def _continue_form(self, user: User, parts: list[Message], key: str) -> None:
        """Add a file or words to the person's form.

        Raises:
            InvalidInput: a value or file cannot work.
            Refused: quota, policy, block or a closed intake.
        """
        message = parts[0]
        begun = await self._context.forms.load(message.chat_id, user.id) or RequestForm()
        sent = [found for part in parts if (found := attachment_of(part))]
        words = next((text for part in parts if (text := part.text or part.caption)), None)
        if not sent and not words:
            await reply(self._context, message, texts_for(user.language_code).say("t_unusable"))
            return
        if sent and not any(begun.accepts(file.kind) for file in sent):
            begun = RequestForm()  # no slot is free, so this begins a new request
        if begun.mode is None and len(begun.unassigned) + len(sent) > GUESSED_FILES:
            begun = RequestForm(options=begun.options)
        form = begun.with_options(self._options(words or ""))
        await continue_form(
            self._context, user, message, await self._with_media(form, user, parts), key
        )

    def _options(self, text: str) -> Options:
        """Parse the options in ``text``.

        Raises:
            InvalidInput: an unknown option, or a value that is not a number.
        """
        return options_of(text, self._context.desk.service.limits)

    async def _with_media(self, form: RequestForm, user: User, parts: list[Message]) -> RequestForm:
        """Add every file of ``parts`` that the form accepts, downloaded and admitted.

        Raises:
            MediaRefused: a file cannot be used.
        """
        for part in parts:
            sent = attachment_of(part)
            if sent is None or not form.accepts(sent.kind):
                continue
            if form.mode is None and len(form.unassigned) >= GUESSED_FILES:
                break
            role = next((s.role for s in form.missing() if s.kind is sent.kind), sent.kind)
            owner = person_of(user, part).requester
            form = form.with_file(await self._context.attachments.fetch(sent, role, owner))
        return form

    async def _answers_bot(self, user: User, message: Message) -> bool:
        """Tell whether a group message answers a question that the bot asked this person."""
        replied = message.reply_to_message
        if replied is None or replied.from_user is None:
            return False
        if replied.from_user.id != self._context.bot.id:
            return False
        return await self._context.forms.load(message.chat_id, user.id) is not None
