"""Handle messages: commands, captions, replies, albums, answers to a question, plain media."""

from collections.abc import Sequence
from dataclasses import replace

from telegram import Message, Update
from telegram.ext import filters

from bots.shared.welcome import Welcomes
from bots.telegram.address import PLATFORM
from bots.telegram.admin_commands import run_admin
from bots.telegram.albums import Albums
from bots.telegram.attachments import MessageWithFile, answered_by, attachment_of, kinds_in
from bots.telegram.chat_event import ChatEvent, chat_event, written_here
from bots.telegram.context import TelegramContext
from bots.telegram.edits import change_job, is_recent, job_asked_by
from bots.telegram.error_replies import reply_on_error
from bots.telegram.meant_mode import (
    default_mode,
    form_for,
    guessed_files,
    refuse_surplus,
    surplus,
)
from bots.telegram.messages import reply
from bots.telegram.option_parser import TypedCommand, TypedText, called_by, command_of, read_text
from bots.telegram.private_chat import is_private
from bots.telegram.request_form import RequestForm
from bots.telegram.submission import continue_form, was_submitted
from bots.telegram.user_commands import ACCOUNT, run_account
from bots.telegram.welcome import receive_notice
from core.domain.jobs import Job
from core.domain.modes import MODES, Mode


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
        event = await chat_event(self._context, user, message, update.update_id)
        if filters.StatusUpdate.ALL.check_update(update):  # a pinned message, a new member …
            await receive_notice(event)
            return
        lock = self._context.locks.of(message.chat_id, user.id)
        if update.edited_message is not None:
            if message.sender_chat is None and is_recent(message):
                async with lock:
                    await reply_on_error(event, self._handle_edit(event))
            return
        if not message.media_group_id:
            async with lock:
                await reply_on_error(event, self._handle(event, [message]))
            return
        album, first = self._albums.add(message)
        if not first:
            await album.used.wait()
            return
        async with lock, self._albums.complete(album) as parts:
            event = replace(event, message=parts[0])
            handled = self._handle_late(event, parts) if album.late else self._handle(event, parts)
            await reply_on_error(event, handled)

    async def _move_group(self, old: int, new: int) -> None:
        """Move a group's rules to its new id; reply addresses move when they are used."""
        await self._context.services.move_place(f"{PLATFORM}:{old}", f"{PLATFORM}:{new}")
        await Welcomes(self._context.services.state, PLATFORM).begin(new)  # it was greeted before

    async def _handle(self, event: ChatEvent, parts: list[Message]) -> None:
        message = event.message
        typed, called = self._told(event, parts)
        if message.sender_chat is not None:  # a channel or an anonymous administrator
            if typed is not None and not message.is_automatic_forward:
                await reply(self._context, message, event.texts.say("t_anonymous"))
        elif typed is not None:
            await self._run_command(event, parts, typed)
        elif is_private(message) or await self._answers_bot(event):
            words = next((text for part in parts if (text := part.text or part.caption)), None)
            await self._continue_form(event, parts, words if called is None else called)
        elif called is not None:
            await self._continue_form(event, parts, called)

    def _told(
        self, event: ChatEvent, parts: list[Message]
    ) -> tuple[TypedCommand | None, str | None]:
        """Return the command in a message, and what is said to the bot by its name."""
        bot, alone = self._context.bot_name, is_private(event.message)
        texts = [part.text or part.caption for part in parts]
        called = called_by(texts, bot)
        commands = (command_of(text, bot, alone=alone) for text in (*texts, called))
        return next((found for found in commands if found), None), called

    async def _handle_late(self, event: ChatEvent, parts: list[Message]) -> None:
        """Add parts of an album that came after it was handled to what it began.

        Raises:
            InvalidInput: a value or file cannot work.
            Refused: permissions, quota, policy, block or a closed intake.
        """
        typed, called = self._told(event, parts)
        begun = await self._context.forms.has(event.message.chat_id, event.user.id)
        if typed is not None or called is not None or begun:
            await self._handle(event, parts)
        elif is_private(event.message):
            await event.reply(event.texts.say("t_album_late", count=len(parts)))

    async def _handle_edit(self, event: ChatEvent) -> None:
        """Change the job that a message asked for; without one handle the message as if sent now.

        Raises:
            InvalidInput: a value cannot work.
            Refused: permissions, quota, policy, block or a closed intake.
        """
        message = event.message
        text = message.text or message.caption
        typed, called = self._told(event, [message])
        words = typed.rest if typed else called if called is not None else text or ""
        job = await job_asked_by(event)
        if job is not None:
            await self._change(event, job, typed, words)
            return
        asks = typed.command in set(Mode) if typed else is_private(message) or called is not None
        if not asks or self._read(words, None).private:  # that one would be answered elsewhere
            return
        begun = await self._context.forms.has(message.chat_id, event.user.id)
        if typed is not None or not begun:
            await self._handle(event, [message])
        elif words:  # its files are in the form already
            await self._continue_form(event, [], words)

    async def _change(
        self, event: ChatEvent, job: Job, typed: TypedCommand | None, words: str
    ) -> None:
        """Change a job by its edited message; another command takes its place while it waits.

        Raises:
            InvalidInput: a value cannot work.
            Refused: permissions, quota, policy, block or a closed intake.
        """
        if typed is None or typed.command == job.request.mode:
            await change_job(event, job, self._read(words, job.request.mode))
        elif typed.command not in set(Mode) or job.state.terminal:
            return
        elif job.state.waiting:
            await event.users.cancel(event.caller, job.id)
            await self._handle(event, [event.message])
        else:
            await event.reply(event.texts.say("t_edited_late"))

    async def _run_command(
        self, event: ChatEvent, parts: list[Message], typed: TypedCommand
    ) -> None:
        if typed.command in set(Mode):
            await self._generate(event, parts, Mode(typed.command), typed.rest)
        elif not written_here(event.message, self._context.bot.id):
            await event.reply(event.texts.say("t_not_typed", command=typed.command))
        elif typed.command == "admin":
            await run_admin(event, typed.rest)
        elif typed.command in ACCOUNT:
            await run_account(event, typed.command, typed.rest)
        elif is_private(event.message):
            await event.reply(event.texts.say("t_unknown", command=typed.command))

    async def _generate(
        self, event: ChatEvent, parts: list[Message], mode: Mode, rest: str
    ) -> None:
        """Begin a request of ``mode`` with the files of the message and of the one it replies to.

        Raises:
            InvalidInput: a value or file cannot work.
            Refused: permissions, quota, policy, block or a closed intake.
        """
        if await was_submitted(event):
            return
        await event.users.access.check(event.caller)
        await self._context.permissions.check(event.message)
        form = RequestForm(mode=mode).with_text(self._read(rest, mode))
        replied = answered_by(event.message)
        refuse_surplus(form, kinds_in(parts))
        if MODES[mode].slots:
            sent: list[MessageWithFile] = [replied, *parts] if replied else [*parts]
            if surplus(form, kinds_in(sent)):
                sent = [*parts]  # what came with the command is meant rather than what it answers
            form = await self._with_media(form, event, sent)
        elif not form.options.prompt and (said := self._answered_words(event.message)):
            form = form.with_text(self._read(said, mode))
        await continue_form(event, form)

    def _answered_words(self, message: Message) -> str | None:
        """Return the words that a message answers: what is quoted of them, or all; none of ours."""
        replied = message.reply_to_message
        ours = bool(replied and replied.from_user and replied.from_user.id == self._context.bot.id)
        if message.quote is not None and not ours:
            return message.quote.text
        return replied.text if replied is not None and not ours else None

    async def _continue_form(
        self, event: ChatEvent, parts: list[Message], words: str | None
    ) -> None:
        """Add files and words to the person's form; words alone may be about a file they answer.

        Raises:
            InvalidInput: a value or file cannot work.
            Refused: quota, policy, block or a closed intake.
            TooManyFiles: an album with files that the mode has no place for.
        """
        if await was_submitted(event):
            return
        await event.users.access.check(event.caller)
        chat_id = event.message.chat_id
        begun = await self._context.forms.load(chat_id, event.user.id)
        if begun is None:
            await self._context.permissions.check(event.message)
        sent: list[MessageWithFile] = [*parts]
        replied = answered_by(event.message)
        if begun is None and words and replied and not any(map(attachment_of, parts)):
            sent = [replied]
        if not (files := kinds_in(sent)) and not words:
            await event.reply(event.texts.say("t_unusable"))
            return
        form = form_for(begun or RequestForm(), files)
        form = form.with_text(self._read(words or "", form.mode))
        form = await self._with_media(form, event, sent)
        if words and form.mode is None and (mode := default_mode(form)) is not None:
            form = replace(form.with_mode(mode), guessed=True)
        await continue_form(event, form)

    def _read(self, text: str, mode: Mode | None) -> TypedText:
        """Parse the prompt and options for ``mode`` in ``text``.

        Raises:
            InvalidInput: an unknown option, or a value that is not a number.
        """
        return read_text(text, self._context.services.users.limits, mode)

    async def _with_media(
        self, form: RequestForm, event: ChatEvent, parts: Sequence[MessageWithFile]
    ) -> RequestForm:
        """Add every file of ``parts`` that the form accepts, downloaded and admitted.

        What is made from a hidden one is hidden too.

        Raises:
            MediaRefused: a file cannot be used.
        """
        for part in parts:
            file = attachment_of(part)
            roles = form.roles_for(file.kinds) if file else {}
            if file is None or not roles:
                continue
            if form.mode is None and len(form.unassigned) >= guessed_files():
                form = replace(form, left_out=form.left_out + 1)
                continue
            media = await self._context.attachments.fetch(event.caller, file, roles)
            form = form.with_file(media)
            form = replace(form, spoiler=form.spoiler or bool(part.has_media_spoiler))
        return form

    async def _answers_bot(self, event: ChatEvent) -> bool:
        """Tell whether a group message answers a question that the bot asked this person."""
        replied = event.message.reply_to_message
        if replied is None or replied.from_user is None:
            return False
        if replied.from_user.id != self._context.bot.id:
            return False
        chat_id = event.message.chat_id
        return await self._context.forms.has(chat_id, event.user.id)
