"""Say where somebody stands in one limit: a line of the quota view that every front shows."""

from core.domain.quota import LimitBalance
from core.i18n.messages import say


def limit_line(balance: LimitBalance, locale: str | None = None, resets: str | None = None) -> str:
    """Describe what is left of a limit, and when it resets.

    Args:
        balance: of one limit.
        locale: the reader's.
        resets: the moment as the platform shows moments; written out in UTC where None.
    """
    data = {
        "scope": balance.name,
        "left": balance.left,
        "limit": balance.limit,
        "resets": balance.resets_at_ms if resets is None else resets,
    }
    return say(f"limit_{balance.unit}", data, locale)
