"""Whether the device works: written by who uses it, read by health, metrics and alerts."""


class DeviceState:
    """The device of this process. A lost one stays lost: only a new process gets it back."""

    def __init__(self) -> None:
        self.lost = ""  # why, a short text of a library; empty while the device works
        self.losses = 0  # since the process began

    @property
    def works(self) -> bool:
        """Return whether jobs may be given to it."""
        return not self.lost

    def note_lost(self, reason: str) -> None:
        """Note that no work reaches the device any more, and why."""
        self.lost = reason or "unknown"
        self.losses += 1
