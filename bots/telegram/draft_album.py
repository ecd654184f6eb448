"""Drafts to choose among: an album of clips, and the message with a button for each.

An album cannot be edited into place, so it is sent at most once: what is begun is noted before.
Where nobody knows whether it arrived, the message offers each clip by a button, and no second
album is sent.
"""

from collections.abc import Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, InputMediaVideo, Message

from bots.shared.captions import Telling
from bots.shared.drafts import drafts_caption, finishable
from bots.shared.edit_scheduler import Throttled
from bots.shared.offers import Offers
from bots.shared.posted_messages import PostedMessages
from bots.telegram.address import TelegramAddress
from bots.telegram.api_errors import NOT_THERE, ChatMoved, TelegramFileTooLarge
from bots.telegram.outgoing import ChatTarget, Outgoing
from bots.telegram.rendering import CAPTION_LIMIT, callback_data, texts_for
from core.domain.followups import Action
from core.domain.jobs import Job
from core.errors import DeliveryImpossible
from core.i18n.messages import say
from core.service.clips import fitted_clip
from core.service.front_services import FrontState

ALBUMS = "telegram-album"  # the namespace of albums that were sent, by group and chat
MOST_BYTES = 48_000_000  # of all clips of an album; the cloud takes 50 MB a request
PRICED_PER_ROW = 2  # buttons; more of them are cut on a phone
_NOT_SENT = (*NOT_THERE, ChatMoved, Throttled)


class DraftAlbum:
    """Shows the drafts of a group in a chat."""

    def __init__(
        self,
        outgoing: Outgoing,
        state: FrontState,
        offers: Offers,
        posts: PostedMessages,
    ) -> None:
        self._outgoing = outgoing
        self._state = state
        self._offers = offers
        self._posts = posts

    async def show(self, jobs: Sequence[Job], at: TelegramAddress, telling: Telling) -> Message:
        """Send the album, once, and let the message of ``at`` say what to do with it.

        Raises:
            DeliveryRetry: nobody knows whether the album arrived; it is not sent again.
            DeliveryImpossible: not in this chat.
        """
        group = jobs[0].group
        name = f"{group.id if group else jobs[0].id}:{at.chat_id}"
        known = await self._state.recall(ALBUMS, name)
        if known is None:
            await self._send(name, jobs, at)
        keyboard = self._keyboard(jobs, at.locale, doubted=known == "begun")
        text = drafts_caption(texts_for(at.locale), jobs, telling, CAPTION_LIMIT)
        return await self._outgoing.edit_text(at.chat_id, at.message_id, text, keyboard)

    async def _send(self, name: str, jobs: Sequence[Job], at: TelegramAddress) -> None:
        media = await self._media(jobs, at)
        await self._state.remember(ALBUMS, name, "begun")
        to = ChatTarget(at.chat_id, at.thread_id, at.message_id)
        try:
            sent = await self._outgoing.album(to, [one for _, one in media])
        except (*_NOT_SENT, TelegramFileTooLarge) as error:
            await self._state.remember(ALBUMS, name, None)
            if isinstance(error, TelegramFileTooLarge):
                raise DeliveryImpossible("album_too_large") from error
            raise
        await self._state.remember(ALBUMS, name, "sent")
        for (job, _), message in zip(media, sent, strict=False):
            for one in {job.id, jobs[0].id}:  # the Delete of the first one takes all
                await self._posts.add(one, f"{message.chat_id}/{message.message_id}")

    async def _media(
        self, jobs: Sequence[Job], at: TelegramAddress
    ) -> list[tuple[Job, InputMediaVideo]]:
        found: list[tuple[Job, InputMediaVideo]] = []
        for number, job in enumerate(jobs, 1):
            if job.clip is None:
                continue
            path = await fitted_clip(job.clip, MOST_BYTES // len(jobs))
            video = InputMediaVideo(
                media=path.read_bytes(),
                filename=f"clapper-draft-{number}-{job.id[:8]}.mp4",
                caption=str(number),
                width=job.clip.width,
                height=job.clip.height,
                duration=round(job.clip.seconds),
                supports_streaming=True,
                has_spoiler=at.spoiler,
            )
            found.append((job, video))
        return found

    def _keyboard(
        self, jobs: Sequence[Job], locale: str | None, *, doubted: bool
    ) -> InlineKeyboardMarkup:
        offers = self._offers
        finish = [
            InlineKeyboardButton(
                offers.label(job, Action.QUALITY, locale, number),
                callback_data=callback_data(Action.QUALITY, job.id),
            )
            for number, job in finishable(jobs, offers)
        ]
        show = [
            InlineKeyboardButton(
                say("show_draft_label", {"number": number}, locale),
                callback_data=callback_data(Action.FETCH, job.id),
            )
            for number, job in finishable(jobs, offers)
        ]
        of_all = [
            InlineKeyboardButton(
                offers.label(jobs[0], action, locale),
                callback_data=callback_data(action, jobs[0].id),
            )
            for action in (Action.AGAIN, Action.DETAILS, Action.DELETE)
        ]
        rows = [finish[i : i + PRICED_PER_ROW] for i in range(0, len(finish), PRICED_PER_ROW)]
        return InlineKeyboardMarkup([*rows, *([show] if doubted else []), of_all])
