"""Drop what Telegram sent long ago: updates, forms and file ids."""

from bots.shared.chores import hourly
from bots.telegram.context import TelegramContext
from bots.telegram.delivery import FILE_IDS, POSTS
from bots.telegram.update_inbox import UpdateInbox
from core.domain.time_units import DAY_MS
from core.settings import Settings


async def clean_up_hourly(context: TelegramContext, inbox: UpdateInbox, settings: Settings) -> None:
    """Drop what is too old, now and every hour, until cancelled."""
    kept_ms = round(settings.retention.days * DAY_MS)

    async def clean_up() -> None:
        await inbox.prune()
        await context.forms.prune()
        await context.languages.prune()
        await context.services.state.forget_older(FILE_IDS, kept_ms)
        await context.services.state.forget_older(POSTS, kept_ms)
        await context.services.users.originals.prune(kept_ms)

    await hourly(clean_up)
