# ruff: noqa: I001  # spaces has to be imported before anything that may start CUDA
# spaces' own types are incomplete
# pyright: reportMissingTypeStubs=false
"""What the lender's own package holds: how much more it grants than is declared."""

from spaces.config import Config
from spaces.zero import client

from dataclasses import replace
from datetime import timedelta
from typing import Literal

from core.duration import GpuSize
from core.duration.zerogpu import LOANS


def size_of(lent_as: str) -> Literal["large", "xlarge"]:
    """Return the size to ask for, of what a hardware profile is lent as."""
    return "xlarge" if lent_as == "xlarge" else "large"


def loan_of(lent_as: str) -> GpuSize:
    """Return the factors of what is lent; off a Space those of our own table.

    How the day counts a size is in the lender's service, not in its package.
    """
    known = LOANS.get(lent_as, GpuSize())
    if not Config.zero_gpu:
        return known
    granted = client.get_duration_seconds(timedelta(seconds=1000), size_of(lent_as))
    return replace(known, factor=granted / 1000)
