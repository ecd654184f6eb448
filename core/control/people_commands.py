"""The commands about one account."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from core.control.fields import EXACT, Name


@dataclass(frozen=True, slots=True)
class ShowQuota:
    """What an account may still spend."""

    __pydantic_config__ = EXACT
    requester: Name
    place: Name = ""


@dataclass(frozen=True, slots=True)
class GrantQuota:
    """More GPU-minutes for an account."""

    __pydantic_config__ = EXACT
    requester: Name
    minutes: Annotated[float, Field(ge=0.01, le=100_000, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class ForgetPerson:
    """Everything that is kept of somebody, and of the accounts joined to theirs, goes."""

    __pydantic_config__ = EXACT
    requester: Annotated[Name, Field(pattern=r"^[a-z]+:.+$")]
