"""Headers that many answers have."""

PRIVATE = {"Cache-Control": "private, no-store"}  # for one person, and another one in a moment
