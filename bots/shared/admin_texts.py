"""What operators type and read on both platforms: people, entries, rules."""

from collections.abc import Sequence

from bots.shared.texts import Texts
from core.domain.access import CHATS, AccessEntry, read_entry
from core.domain.people import Requester
from core.domain.policy import EVERYWHERE, Policy
from core.errors import AccountUnknown, EntryUnknown
from core.i18n.messages import name
from core.service.operator_api import AccessRow

OTHER_PLATFORMS = ("studio", "hf")  # whose people have no number


def typed_person(typed: str, platform: str) -> Requester:
    """Read the numeric id of a person, or ``platform:id``.

    Raises:
        AccountUnknown: a name, which somebody else can take, an unknown platform, or no id.
    """
    known, colon, user_id = typed.partition(":")
    if not colon:
        known, user_id = platform, typed
    by_number = known in CHATS
    number = user_id.isascii() and user_id.isdecimal()
    if (by_number and not number) or (not by_number and known not in OTHER_PLATFORMS):
        raise AccountUnknown(typed[:60])
    if not user_id.strip():
        raise AccountUnknown(typed[:60])
    return Requester(known, user_id)


def typed_entry(typed: str) -> list[AccessEntry]:
    """Read who is let in.

    Raises:
        EntryUnknown: it names nobody.
    """
    try:
        return read_entry(typed.strip())
    except ValueError:
        raise EntryUnknown(typed[:60]) from None


def policy_text(texts: Texts, policy: Policy, place: str, channel: str = "{}") -> str:
    """Write the rules of a place, or of all places; ``channel`` writes a channel."""
    end = "_all" if place == EVERYWHERE else ""
    if policy == Policy():
        return texts.say(f"admin_no_policy{end}", place=place)
    return texts.say(f"admin_policy{end}", place=place, rules=policy.shown(channel))


def word_text(texts: Texts, found: tuple[str, str] | None) -> str:
    """Say which rule refuses a sentence, and because of which word."""
    if found is None:
        return texts.say("admin_word_free")
    rule, word = found
    return texts.say("admin_word_found", rule=name(rule, texts.locale), word=word)


def access_text(texts: Texts, rows: Sequence[AccessRow]) -> str:
    """List who asks for access, and who was let in."""
    if not rows:
        return texts.say("access_nobody")
    lines = [
        texts.say(
            "access_line",
            entry=row.entry,
            name=row.name,
            state=name(f"access_state_{row.state}", texts.locale),
        )
        for row in rows
    ]
    return "\n".join([texts.say("access_head"), *lines])
