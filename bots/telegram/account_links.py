"""Join accounts of other platforms, list them, and part them again."""

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bots.shared.accounts import accounts_text, handle_of, unlink
from bots.telegram.chat_event import ChatEvent
from bots.telegram.rendering import callback_data
from core.domain.people import Requester
from core.i18n.messages import say


async def link_account(event: ChatEvent, rest: str) -> None:
    """Give a code, or take the one that was typed."""
    accounts, user = event.users.accounts, event.user
    if rest:
        await accounts.link(event.caller, rest, f"@{user.username or user.first_name}")
        await event.reply(event.texts.say("linked"))
    else:
        code = await accounts.link_code(event.caller)
        await event.reply(event.texts.say("link_code_text", code=code))


async def list_accounts(event: ChatEvent, _: str) -> None:
    """List the joined accounts, with a button to part each."""
    own = event.caller.requester
    keys = await event.users.accounts.keys(event.caller)
    rows = [[unlink_button(key, event.locale)] for key in keys if key != own]
    await event.reply(accounts_text(event.texts, keys, own), InlineKeyboardMarkup(rows))


def unlink_button(who: Requester, locale: str | None) -> InlineKeyboardButton:
    """Build the button that unlinks an account."""
    label = say("unlink_label", {"who": who.key}, locale)
    return InlineKeyboardButton(label, callback_data=callback_data("unlink", handle_of(who)))


async def remove_account(event: ChatEvent, handle: str) -> None:
    """Unlink the account that a button names, and confirm it."""
    done = await unlink(event.users.accounts, event.caller, handle)
    await event.reply(event.texts.say("unlinked" if done else "unlink_gone"))
