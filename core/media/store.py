"""The folder of admitted inputs: what people send goes in as a file of ours, or not at all."""

from pathlib import Path

from core.limits import MediaLimits
from core.media.kinds import MediaFile, MediaKind


class MediaStore:
    """Admits files into ``folder``; one per data directory."""

    def __init__(self, folder: Path, limits: MediaLimits) -> None:
        self.folder = folder
        self._limits = limits

    async def admit(self, source: Path, role: str, kind: MediaKind) -> MediaFile:
        """Check, decode and re-encode ``source``, and keep the result under its own hash.

        Args:
            source: a file as somebody sent it; its name means nothing and is never used.
            role: the slot it is for; only named in errors.
            kind: what it has to be.

        Returns:
            The admitted file.

        Raises:
            MediaRefused: with the reason; nothing was kept.
        """
        raise NotImplementedError
