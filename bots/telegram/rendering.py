"""How jobs look on Telegram: HTML markup, callback data and keyboards."""

import html
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bots.shared.cutting import cut
from bots.shared.offers import NO_OFFERS, Offers
from bots.shared.texts import Markup, Texts
from core.domain.followups import Action, actions_for, changeable, is_present
from core.domain.jobs import Job
from core.domain.limits import RequestLimits
from core.domain.media import MediaKind
from core.domain.modes import MODES
from core.domain.options import OPTIONS, Option
from core.domain.request_check import bounded_values
from core.i18n.messages import name, say
from core.service.operator_api import AccessDecision

CAPTION_LIMIT = 1024  # characters
TEXT_LIMIT = 4096
CALLBACK = re.compile(r"v1:(?P<action>[a-z][a-z0-9_]*)(?:=(?P<value>[\w:.-]*))?:(?P<job>\w{1,32})")
ROWS = (  # without fetch: the message shows the clip
    (Action.AGAIN, Action.EDIT),
    (Action.LONGER, Action.LAST_FRAME),
    (Action.QUALITY,),  # says what it takes
    (Action.CANCEL, Action.REMIX, Action.PUBLISH),
    (Action.DETAILS, Action.DELETE),
)
_TAG = re.compile(r"<[^>]+>")
CALLBACK_BYTES = 64  # source: Bot API, InlineKeyboardButton

MARKUP = Markup(
    moment=lambda at: f'<tg-time unix="{round(at)}" format="r">{_clock(at)}</tg-time>',
    escape=lambda text: html.escape(text, quote=False),
    files_apart=True,
    quote=lambda text: f"<code>{html.escape(text, quote=False)}</code>",  # a tap copies it
    link=lambda address, word: f'<a href="{html.escape(address)}">{word}</a>',
    shown=lambda text: html.unescape(_TAG.sub("", text)),
    units=lambda text: len(text.encode("utf-16-le")) // 2,  # source: Bot API, MessageEntity
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
    """Format the data of a button.

    Raises:
        ValueError: it would not fit, or not be read back.
    """
    data = f"v1:{action}{f'={value}' if value else ''}:{job_id}"
    if len(data.encode()) > CALLBACK_BYTES or not CALLBACK.fullmatch(data):
        raise ValueError(f"no data for a button: {data}")
    return data


def parse_callback_data(data: str | None) -> CallbackData | None:
    """Parse the data of a pressed button; None for data in another format."""
    found = CALLBACK.fullmatch(data or "")
    return CallbackData(found["action"], found["value"] or "", found["job"]) if found else None


def clip_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """Cut ``text`` to a limit as Telegram counts; a text that is cut loses its markup."""
    plain = MARKUP.shown(text)
    if MARKUP.units(plain) <= limit:
        return text
    return html.escape(cut(plain, limit, MARKUP.units), quote=False)


def job_keyboard(
    job: Job,
    locale: str | None,
    offers: Offers = NO_OFFERS,
    *,
    remixable: bool = False,
    publishable: bool = False,
) -> InlineKeyboardMarkup:
    """Build the buttons under a job's message; what the limits in force would refuse has none.

    A clip that others may remix has one for that, and one that its maker may show in a feed.
    """
    rows = [
        [
            InlineKeyboardButton(
                offers.label(job, a, locale), callback_data=callback_data(a, job.id)
            )
            for a in row
        ]
        for row in _rows(job, offers.limits, remixable=remixable, publishable=publishable)
    ]
    if job.state.waiting and job.group is None:
        rows += _option_rows(job, locale, offers.limits or RequestLimits())
        if job.reply_to.address.get("styles") == "1":
            label, data = say("t_style_label", {}, locale), callback_data("styles", job.id)
            rows.append([InlineKeyboardButton(label, callback_data=data)])
        if job.reply_to.address.get("guessed") == "1":
            rows += _rather_rows(job, locale)
    return InlineKeyboardMarkup(rows)


def fetch_keyboard(job: Job, bot_name: str, locale: str | None) -> InlineKeyboardMarkup:
    """Build the button that opens the private chat and shows the clip there."""
    url = f"https://t.me/{bot_name}?start=job_{job.id}"
    return InlineKeyboardMarkup([[InlineKeyboardButton(say("fetch_label", {}, locale), url=url)]])


def decide_buttons(entry: str, locale: str | None) -> list[InlineKeyboardButton]:
    """Build the buttons with which an operator answers somebody who asks for access."""
    return [
        InlineKeyboardButton(
            say(f"access_{decision}_label", {}, locale),
            callback_data=callback_data("access", "0", f"{decision}.{entry}"),
        )
        for decision in AccessDecision
    ]


def feed_keyboard(
    post_id: str, job_id: str, locale: str | None, *, told: bool, remixable: bool
) -> InlineKeyboardMarkup:
    """Build the buttons under a post of a feed: what all may do, and Report."""
    actions = [Action.DETAILS] * told + [Action.REMIX] * remixable
    of_clip = [
        InlineKeyboardButton(say(f"{a}_label", {}, locale), callback_data=callback_data(a, job_id))
        for a in actions
    ]
    label = say("report_label", {}, locale)
    report = InlineKeyboardButton(label, callback_data=callback_data("report", post_id))
    return InlineKeyboardMarkup([row for row in (of_clip, [report]) if row])


def _rows(
    job: Job, limits: RequestLimits | None, *, remixable: bool, publishable: bool
) -> list[list[Action]]:
    more = [Action.REMIX] * remixable + [Action.PUBLISH] * (publishable and job.clip is not None)
    offered = (*actions_for(job, limits), *more)
    rows = [[action for action in row if action in offered] for row in ROWS]
    return [row for row in rows if row]


def _option_rows(
    job: Job, locale: str | None, limits: RequestLimits
) -> list[list[InlineKeyboardButton]]:
    """Build the buttons that change a waiting job; the present values are marked."""
    request = job.asked
    if request is None:
        return []

    def button(option: Option, value: str) -> InlineKeyboardButton:
        label = value_label(option, value, locale)
        data = callback_data(option.name, job.id, value)
        now = is_present(request, option, value)
        return InlineKeyboardButton(f"• {label}" if now else label, callback_data=data)

    rows = [
        (option, bounded_values(limits, option.name, option.buttons))
        for option in changeable(request.mode)
    ]
    return [[button(option, value) for value in values] for option, values in rows if values]


def _rather_rows(job: Job, locale: str | None) -> list[list[InlineKeyboardButton]]:
    """Build the buttons for other modes that the files of a job could be meant for."""
    kinds = Counter(file.kind for file in job.request.files) if job.asked else Counter[MediaKind]()
    others = [
        mode
        for mode, spec in MODES.items()
        if mode is not job.mode_word and kinds <= Counter(slot.kind for slot in spec.slots)
    ]
    buttons = [
        InlineKeyboardButton(
            say("rather_label", {"mode": mode}, locale),
            callback_data=callback_data("rather", job.id, mode),
        )
        for mode in others
        if mode != job.mode_word
    ]
    return [buttons[i : i + 2] for i in range(0, len(buttons), 2)]


def value_label(option: Option, value: str, locale: str | None) -> str:
    """Return ``value`` of ``option`` as people read it: a word, or a number with its unit."""
    if option.bounds is None:
        return name(value, locale)
    return say("t_option_value", {"value": float(value), "unit": option.unit}, locale)


def check_buttons(taken: Collection[str]) -> None:
    """Check that every button of the tables of options and modes can be made.

    Args:
        taken: the actions of other buttons.

    Raises:
        ValueError: naming the button that cannot be.
    """
    longest = "f" * 32  # of a job's id
    for option in OPTIONS.values():
        if option.buttons and option.name in taken:
            raise ValueError(f"no data for a button: {option.name} is another one")
        for value in option.buttons:
            callback_data(option.name, longest, value)
    for mode in MODES:
        callback_data("mode", longest, mode)
