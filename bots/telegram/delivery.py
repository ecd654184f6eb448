"""Telegram's side of the outbox: the placeholder becomes the clip, exactly once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import structlog
from telegram import Message

from bots.shared.edit_scheduler import EditScheduler, Throttled
from bots.telegram.address import PLATFORM, Address
from bots.telegram.api_errors import (
    FileTooLarge,
    MessageGone,
    Moved,
    NotAllowed,
    Unchanged,
    guarded,
)
from bots.telegram.rendering import job_keyboard, texts_for
from bots.telegram.status_messages import Screen, ShowRules
from core.accounts.community import Community
from core.domain.jobs import Failure, Job, ReplyTo
from core.domain.media import Clip
from core.domain.progress import Progress
from core.errors import ClipTooLarge, DeliveryFailed, DeliveryImpossible, DeliveryRetry
from core.interfaces.delivery import Attempt, Receipt
from core.media.output.transcode import fit

log = structlog.get_logger(__name__)

CLOUD_LIMIT = 50_000_000  # bytes; decimal, source: Bot API "Sending files"
LOCAL_LIMIT = 2_000_000_000
HEADROOM = 0.98  # of a limit; multipart framing takes a little
STEP_DOWN = 0.5  # of the size that was refused
SMALLEST = 1_000_000  # bytes; below it a clip is not worth looking at
TURNS = 5  # a group moves once, a message is lost once, each with a new placeholder; more is a loop
FILE_IDS = "telegram-file"  # where the ids of shown clips are remembered, by job

Show = Callable[[Address], Awaitable[Message]]


class TelegramDelivery:
    """Implements :class:`core.interfaces.delivery.Delivery` for reply addresses of Telegram."""

    platform = PLATFORM

    def __init__(
        self,
        screen: Screen,
        edits: EditScheduler,
        rules: ShowRules,
        community: Community,
        readdress: Callable[[str, ReplyTo], Awaitable[None]],
    ) -> None:
        """Take how a job's address is replaced."""
        self._screen = screen
        self._edits = edits
        self._rules = rules
        self._community = community
        self._readdress = readdress

    async def progress(self, job: Job, event: Progress) -> None:
        """Offer the newest state of ``job``; it is shown when the chat's budget allows."""
        await asyncio.sleep(0)
        at = Address.of(job.reply_to)
        if at.silent or not at.message_id:
            return
        text = texts_for(at.locale).progress(job, event)

        async def edit() -> None:
            try:
                await guarded(lambda: self._screen.text(at, text, job_keyboard(job, at.locale)))
            except (DeliveryFailed, MessageGone, Moved, Unchanged, NotAllowed) as error:
                log.info("progress_dropped", reason=type(error).__name__)

        self._edits.offer(at.chat_key, str(at.message_id), edit)

    async def completed(self, job: Job, clip: Clip, attempt: Attempt) -> Receipt:
        """Turn the placeholder into the clip.

        Raises:
            DeliveryImpossible: nobody can be reached, or no size goes through.
            DeliveryRetry: not now.
        """
        try:
            return await self._in_some_size(job, clip, attempt)
        except NotAllowed:
            reason = "not allowed"
        except ClipTooLarge as error:
            reason = error.code

        async def show(at: Address) -> Message:
            return await self._screen.kept(job, at)

        await self._deliver(job, show, attempt)
        raise DeliveryImpossible(reason)

    async def _in_some_size(self, job: Job, clip: Clip, attempt: Attempt) -> Receipt:
        """Show the clip, smaller each time the server takes less than planned.

        Raises:
            ClipTooLarge: no acceptable size goes through.
            NotAllowed: the chat takes no videos from us.
        """
        limit = int((LOCAL_LIMIT if self._rules.local else CLOUD_LIMIT) * HEADROOM)
        while limit >= SMALLEST:
            path = await fit(clip.path, limit)  # beside the clip, so it goes with it

            async def show(at: Address, path: Path = path) -> Message:
                return await self._screen.clip(job, clip, path, at)

            try:
                return await self._deliver(job, show, attempt)
            except FileTooLarge:
                limit = int(path.stat().st_size * STEP_DOWN)
                log.info("stepping_down", job_id=job.id, limit_bytes=limit)
        raise ClipTooLarge("too_large", clip.size_bytes, limit)

    async def failed(self, job: Job, failure: Failure, attempt: Attempt) -> Receipt:
        """Tell why there is no clip, in the message that showed the progress.

        Raises:
            DeliveryImpossible: nobody can be reached.
            DeliveryRetry: not now.
        """

        async def show(at: Address) -> Message:
            text = texts_for(at.locale).failure(failure)
            return await self._screen.text(at, text, job_keyboard(job, at.locale))

        try:
            return await self._deliver(job, show, attempt)
        except NotAllowed:
            raise DeliveryImpossible("not allowed") from None

    async def post(self, job: Job, clip: Clip, at: Address) -> None:
        """Post a finished clip once more; the job's own address stays.

        Raises:
            DeliveryFailed: it cannot be shown there, or not now.
        """
        here = await self._screen.placeholder(job, at)
        once = Attempt(number=1, ambiguous=False, nonce=job.id)
        await self.completed(replace(job, reply_to=here.to_reply()), clip, once)

    async def _deliver(self, job: Job, show: Show, attempt: Attempt) -> Receipt:
        """Edit the placeholder, or a new one where it is gone or the group moved.

        An edit can be repeated, so a lost answer never makes a second clip.

        Raises:
            DeliveryRetry: not now.
        """
        at = Address.of(job.reply_to)
        if at.silent:
            return Receipt("silent")
        for _ in range(TURNS):
            try:
                return await self._edits.result(
                    at.chat_key, str(at.message_id), lambda at=at: self._once(job, at, show)
                )
            except Throttled as throttled:
                raise DeliveryRetry("throttled", throttled.after_s) from throttled
            except Moved as moved:
                await self._community.moderation.move_place(
                    f"{PLATFORM}:{at.chat_id}", f"{PLATFORM}:{moved.chat_id}"
                )
                at = at.moved(moved.chat_id)
            except MessageGone:
                at = await self._new_placeholder(job, replace(at, message_id=0))
        log.warning("placeholder_lost", job_id=job.id, attempt=attempt.number)
        raise DeliveryRetry("placeholder lost")

    async def _once(self, job: Job, at: Address, show: Show) -> Receipt:
        if not at.message_id:
            raise MessageGone
        try:
            message = await guarded(lambda: show(at))
        except Unchanged:
            return Receipt(f"{at.chat_id}/{at.message_id}")
        if message.video is not None:
            await self._community.state.remember(FILE_IDS, job.id, message.video.file_id)
        return Receipt(f"{at.chat_id}/{message.message_id}")

    async def _new_placeholder(self, job: Job, at: Address) -> Address:
        """Post a new placeholder and store where it is; a chat that moved is left to the caller.

        Raises:
            DeliveryImpossible: its place is gone.
            DeliveryRetry: not now.
        """
        try:
            here = await self._screen.placeholder(job, at)
        except Moved as moved:
            return at.moved(moved.chat_id)
        except Throttled as throttled:
            raise DeliveryRetry("throttled", throttled.after_s) from throttled
        except MessageGone:
            raise DeliveryImpossible("topic gone") from None
        await self._readdress(job.id, here.to_reply())
        return here
