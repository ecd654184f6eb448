"""Units of time in milliseconds, which rows, limits and clocks count in."""

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
