"""When more workers are wanted, and fewer; whoever starts machines reads it at ``/metrics``."""

from pydantic import Field

from core.settings.area import Area


class ScalingSettings(Area):
    """How many workers each pool should have."""

    prefix = "CLAPPER_SCALE_"

    # what is in line should be made within this; as long as people are ready to wait
    wait_s: float = Field(default=300, ge=1, le=86_400)
    floor: int = Field(default=0, ge=0, le=10_000)
    ceiling: int = Field(default=100, ge=1, le=10_000)
