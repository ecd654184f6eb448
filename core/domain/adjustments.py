"""What was changed of what somebody asked for or sent, as data for a sentence."""

from dataclasses import dataclass

from core.errors import Scalar


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Something that was changed, with the reason as a message code and its data."""

    code: str
    data: dict[str, Scalar]
