"""Read the dates of HTTP headers, whoever wrote them."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def read_http_date(text: str) -> datetime | None:
    """Read a date with its zone; None where it is none, or one that no clock shows."""
    try:
        at = parsedate_to_datetime(text)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):  # the second: zones and years without end
        return None
