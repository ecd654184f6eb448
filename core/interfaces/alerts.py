"""Tell the operators, wherever they are, of trouble with the installation."""

from collections.abc import Mapping
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)


class OperatorAlerts(Protocol):
    """Brings what an operator has to know to where operators look."""

    async def send(self, kind: str, data: Mapping[str, object]) -> None:
        """Tell the operators of trouble; returns soon and never raises.

        Args:
            kind: names the sentence, such as ``device_lost``; also what repeats are counted by.
            data: fills the sentence; numbers and short texts, no prompts and no names of people.
        """
        ...


class LoggedAlerts:
    """Writes alerts to the log: what there is where nobody can be told elsewhere."""

    async def send(self, kind: str, data: Mapping[str, object]) -> None:
        """Write the alert as an error."""
        log.error("operator_alert", kind=kind, **{f"alert_{name}": data[name] for name in data})
