"""Draw how far a job got."""

BAR_CELLS = 10


def bar(fraction: float) -> str:
    """Draw ``fraction`` (0…1) as a bar of ten cells."""
    full = round(min(max(fraction, 0.0), 1.0) * BAR_CELLS)
    return "▰" * full + "▱" * (BAR_CELLS - full)
