"""Read a file from a place behind its beginning, as if it began there."""

import io
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class BehindTags(io.RawIOBase):
    """What of ``source`` lies behind its first ``skipped`` bytes.

    Tagging programs put ID3 before formats whose readers do not know it.
    """

    def __init__(self, source: BinaryIO, skipped: int) -> None:
        super().__init__()
        self._source, self._skipped = source, skipped
        self.seek(0)

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that it can be read from anywhere."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill ``buffer``, and return how many bytes there were."""
        view = memoryview(buffer)
        content = self._source.read(len(view))
        view[: len(content)] = content
        return len(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, and return it."""
        if whence == io.SEEK_SET:
            offset += self._skipped
        return max(0, self._source.seek(offset, whence) - self._skipped)

    def tell(self) -> int:
        """Return the place."""
        return self._source.tell() - self._skipped
