"""Take a button that is pressed twice in a row for one press."""

import time
from collections import OrderedDict

WITHIN_S = 2.0  # a second press so soon was not meant
REMEMBERED = 10_000  # presses


class DoublePresses:
    """Remembers what was pressed just now, by whom and where."""

    def __init__(self) -> None:
        self._pressed: OrderedDict[tuple[str, ...], float] = OrderedDict()

    def is_second(self, *press: str) -> bool:
        """Note a press, and tell whether the same one came a moment ago."""
        now = time.monotonic()
        second = now - self._pressed.get(press, -WITHIN_S) < WITHIN_S
        self._pressed[press] = now
        self._pressed.move_to_end(press)
        if len(self._pressed) > REMEMBERED:
            self._pressed.popitem(last=False)
        return second
