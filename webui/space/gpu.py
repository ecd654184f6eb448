# spaces' own types are incomplete
# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false, reportUnknownVariableType=false
"""Which GPU this Space gets: whether one is lent, and which card, where that is shown before."""

from pathlib import Path

from spaces.config import Config

DRIVER = Path("/proc/driver/nvidia/gpus")  # shown on a host with cards, also while none is lent
_WHOLE_CARDS = ("h200",)  # lent whole, in one size; keys of core.duration.hardware


def lends() -> bool:
    """Return whether the platform lends a GPU for each call; its variables say so."""
    return bool(Config.zero_gpu)


def lent_card(driver: Path = DRIVER) -> str | None:
    """Return the card that is lent whole; None where another one is shown, or none."""
    shown = " ".join(_models(driver)).lower()
    return next((key for key in _WHOLE_CARDS if key in shown), None)


def _models(driver: Path) -> list[str]:
    try:
        texts = [path.read_text("utf-8", "replace") for path in driver.glob("*/information")]
    except OSError:
        return []
    lines = [line for text in texts for line in text.splitlines()]
    return [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]
