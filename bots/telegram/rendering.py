"""How jobs look on Telegram: HTML markup, callback data and keyboards."""

import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bots.shared.texts import Markup, Texts
from core.domain.followups import Action, JobOption, actions_for
from core.domain.jobs import Job
from core.domain.options import ASPECTS
from core.domain.presets import Preset
from core.i18n.messages import name, say

CAPTION_LIMIT = 1024  # characters
TEXT_LIMIT = 4096
CALLBACK = re.compile(
    r"v1:(?P<action>[a-z_]{1,12})(?:=(?P<value>[\w:.-]{0,12}))?:(?P<job>\w{1,32})"
)
ROWS = (  # without fetch: the message shows the clip
    (Action.AGAIN, Action.EDIT),
    (Action.LONGER, Action.LAST_FRAME, Action.QUALITY),
    (Action.CANCEL, Action.DETAILS, Action.DELETE),
)
LENGTHS = (3, 5, 10)  # seconds on offer under an acknowledgement

MARKUP = Markup(
    moment=lambda at: f'<tg-time unix="{round(at)}" format="r">{_clock(at)}</tg-time>',
    escape=lambda text: html.escape(text, quote=False),
)


def _clock(at: float) -> str:
    """Format a time for apps that do not count down."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class CallbackData:
    """The data of a button: an action (or an option to change), a value, and a job or person."""

    action: str
    value: str
    job_id: str


def texts_for(locale: str | None) -> Texts:
    """Build the texts of a locale, in Telegram's markup."""
    return Texts(MARKUP, locale)


def callback_data(action: str, job_id: str, value: str = "") -> str:
    """Format the data of a button, at most 64 bytes."""
    return f"v1:{action}{f'={value}' if value else ''}:{job_id}"


def parse_callback_data(data: str | None) -> CallbackData | None:
    """Parse the data of a pressed button; None for data in another format."""
    found = CALLBACK.fullmatch(data or "")
    return CallbackData(found["action"], found["value"] or "", found["job"]) if found else None


def clip_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """Cut ``text`` to a limit in characters; a text that is cut loses its markup."""
    if len(text) <= limit:
        return text
    plain = html.unescape(re.sub(r"<[^>]+>", "", text))
    return html.escape(plain[: limit // 2], quote=False) + "…"


def job_keyboard(job: Job, locale: str | None) -> InlineKeyboardMarkup:
    """Build the buttons under a job's message."""
    rows = [
        [
            InlineKeyboardButton(
                say(f"{a}_label", {}, locale), callback_data=callback_data(a, job.id)
            )
            for a in row
        ]
        for row in _rows(job)
    ]
    if job.state.waiting:
        rows += _option_rows(job, locale)
    return InlineKeyboardMarkup(rows)


def fetch_keyboard(job: Job, bot_name: str, locale: str | None) -> InlineKeyboardMarkup:
    """Build the button that opens the private chat and shows the clip there."""
    url = f"https://t.me/{bot_name}?start=job_{job.id}"
    return InlineKeyboardMarkup([[InlineKeyboardButton(say("fetch_label", {}, locale), url=url)]])


def _rows(job: Job) -> list[list[Action]]:
    offered = actions_for(job)
    rows = [[action for action in row if action in offered] for row in ROWS]
    return [row for row in rows if row]


def _option_rows(job: Job, locale: str | None) -> list[list[InlineKeyboardButton]]:
    """Build the buttons that change a waiting job; the present values are marked."""
    sampling = job.request.sampling

    def button(label: str, option: JobOption, value: str, *, now: bool) -> InlineKeyboardButton:
        data = callback_data(option, job.id, value)
        return InlineKeyboardButton(f"• {label}" if now else label, callback_data=data)

    presets = [
        button(name(p, locale), JobOption.PRESET, p, now=p is sampling.preset) for p in Preset
    ]
    shapes = [
        button(a, JobOption.ASPECT, a, now=abs(ASPECTS[a] - sampling.size.ratio) < 0.05)
        for a in ("16:9", "1:1", "9:16")
    ]
    lengths = [
        button(f"{s} s", JobOption.SECONDS, str(s), now=abs(sampling.seconds - s) < 0.4)
        for s in LENGTHS
    ]
    return [presets, shapes, lengths]
