"""Hold what every Telegram handler needs, in one record."""

from dataclasses import dataclass, field

from telegram import Bot

from bots.shared.double_presses import DoublePresses
from bots.shared.edit_scheduler import EditScheduler
from bots.shared.languages import KnownLanguages
from bots.telegram.attachments import AttachmentFetcher
from bots.telegram.delivery import TelegramDelivery
from bots.telegram.directory import TelegramDirectory
from bots.telegram.outgoing import Outgoing
from bots.telegram.permissions import PostingPermissions
from bots.telegram.request_form import RequestForms
from bots.telegram.status_messages import StatusMessages
from bots.telegram.user_locks import UserLocks
from core.service.front_services import FrontServices


@dataclass(frozen=True, slots=True)
class TelegramContext:
    """What every handler needs."""

    services: FrontServices
    bot: Bot
    bot_name: str
    messages: StatusMessages
    outgoing: Outgoing
    delivery: TelegramDelivery
    edits: EditScheduler
    forms: RequestForms
    attachments: AttachmentFetcher
    permissions: PostingPermissions
    locks: UserLocks
    directory: TelegramDirectory
    languages: KnownLanguages
    presses: DoublePresses = field(default_factory=DoublePresses)
