"""Write the computed tables of docs/cards.md from the family's record and the estimate.

    python bench/cards.py            # writes them
    python bench/cards.py --check    # ends with 1 where the page says something else

What was measured stays as it is: only what stands between the marks is written anew.
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.domain.limits import RequestLimits
from core.domain.presets import PRESETS, Preset
from core.domain.sizing import typed_seconds
from core.duration import HARDWARE, Hardware, Machine, estimate
from core.duration.memory import longest_clip
from core.models.catalog import FAMILY, Profile

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cards.md"
SIZES = (12, 16, 24, 32, 48, 80, 96, 141)  # GB of the cards that are sold
LEFT_OUT = {"draft", "m-series", "rtx-pro-6000-half"}  # no cards that somebody buys
DIFFERENT = {
    Profile.SMALL: (
        "transformer in 8-bit whole numbers, VAEs and text projection as files of their own",
        "weights are streamed, frames decoded in tiles of at most 768 px",
    ),
    Profile.LOW: ("checkpoint in fp8", "the same"),
    Profile.FP8: ("the same files as `low`", "tiles only where the frame does not fit"),
    Profile.BF16: ("checkpoint and text encoder in bf16", "the guided schedule"),
}


def profile_rows() -> Iterator[tuple[str, ...]]:
    """Yield a row for each profile: cards, name, files, disk and what is different."""
    yield "card", "profile", "files", "disk", "what is different"
    for profile, texts in DIFFERENT.items():
        files, different = texts
        sizes = [size for size in SIZES if FAMILY.profile_for(size * 1e9) is profile]
        disk = sum(file.size_bytes for file in FAMILY.files_for(None, profile))
        yield _listed(sizes), f"`{profile}`", files, f"{disk / 1e9:.0f} GB", different


def _listed(sizes: list[int]) -> str:
    if sizes[-1] == SIZES[-1]:
        return f"{sizes[0]} GB and more"
    *before, last = map(str, sizes)
    return f"{', '.join(before)} and {last} GB" if before else f"{last} GB"


def clip_rows() -> Iterator[tuple[str, ...]]:
    """Yield a row for each card: its profile, the longest clip of each preset, and its time."""
    presets = [preset for preset, spec in PRESETS.items() if spec.scale == 1]
    heads = (f"{preset}, {PRESETS[preset].size}" for preset in presets)
    yield "card", "profile", *heads
    cards = [card for card in HARDWARE if card.known and card.key not in LEFT_OUT]
    for card in sorted(cards, key=lambda card: (card.memory, card.flops)):
        profile = FAMILY.profile_for(card.memory)
        machine = Machine(card, profile.value)
        clips = (_longest(machine, preset) for preset in presets)
        yield f"{_name(card)}, {card.memory / 1e9:.0f} GB", f"`{profile}`", *clips


def _name(card: Hardware) -> str:
    return card.names[0].upper().replace("SUPER", "Super").replace(" TI", " Ti")


def _longest(machine: Machine, preset: Preset) -> str:
    limits = RequestLimits()
    clip = longest_clip(machine, preset, limits)
    if clip is None:
        return "none"
    sampling = clip.sampling
    length = typed_seconds(sampling.frames, sampling.fps, limits, digits=1)
    return f"{length:g} s in {_spoken(estimate(clip, machine).total_ms / 1000)}"


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """Return ``rows`` as a table of Markdown, the first of them as its head."""
    head, *rest = rows
    lines = (head, ("---",) * len(head), *rest)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def written(page: str) -> str:
    """Return ``page`` with the tables that the code gives now."""
    for name, rows in (("profiles", profile_rows()), ("clips", clip_rows())):
        first, last = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
        before, _, rest = page.partition(first)
        page = f"{before}{first}{table(rows)}{last}{rest.partition(last)[2]}"
    return page


def main() -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    page = PAGE.read_text("utf-8")
    new = written(page)
    if parser.parse_args().check:
        return int(new != page)
    PAGE.write_text(new, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
