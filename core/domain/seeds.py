"""Seeds: their range, and how one is drawn."""

from secrets import randbits

MAX_SEED = 2**63 - 1
# of a drawn seed: every reader of JSON keeps so many; source: RFC 8259, section 6
SEED_BITS = 53


def new_seed() -> int:
    """Draw a random seed, 0 … 2⁵³ − 1."""
    return randbits(SEED_BITS)
