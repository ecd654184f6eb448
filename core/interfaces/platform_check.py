"""What a front reports about its platform when an operator asks whether it will work."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PlatformCheck:
    """One line about a front's platform; ``fix`` is a sentence, empty where all is well."""

    what: str
    health: Literal["good", "note", "bad"]
    detail: str
    fix: str = ""
