"""Say what an option or a mode is, from its row and its one entry in the word files."""

from core.domain.limits import RequestLimits
from core.domain.modes import Mode
from core.domain.options import Option, OptionKind
from core.i18n.messages import name, say


def option_label(option: Option, locale: str | None = None) -> str:
    """Return the name of ``option`` as the label of a field."""
    return _begun(say(f"option.{option.name}.name", {}, locale))


def role_label(role: str, locale: str | None = None) -> str:
    """Return the name of the file for ``role`` as the label of a field."""
    return _begun(name(role, locale))


def option_hint(option: Option, limits: RequestLimits, locale: str | None = None) -> str:
    """Return one sentence on ``option``, with its range; at most 100 characters."""
    data: dict[str, object] = {"choices": ", ".join(option.choices)}
    if option.kind is OptionKind.TEXT:
        data |= {"low": 0, "high": limits.prompt_characters}
    elif option.bounds is not None:
        low, high = option.range_in(limits)
        data |= {"low": low, "high": high}
    return say(f"option.{option.name}.hint", data, locale)


def mode_title(mode: Mode, locale: str | None = None) -> str:
    """Return the name of ``mode``."""
    return say(f"mode.{mode}.name", {}, locale)


def mode_summary(mode: Mode, locale: str | None = None) -> str:
    """Return what ``mode`` makes, in a few words without a full stop; at most 100 characters."""
    return say(f"mode.{mode}.what", {}, locale)


def mode_hint(mode: Mode, locale: str | None = None) -> str:
    """Return how a prompt for ``mode`` is best written."""
    return say(f"mode.{mode}.hint", {}, locale)


def mode_example(mode: Mode, locale: str | None = None) -> str:
    """Return an example of a prompt for ``mode``."""
    return say(f"mode.{mode}.example", {}, locale)


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]
