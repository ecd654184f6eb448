"""One file on the hub and the terms that it comes under."""

from dataclasses import dataclass

_HEADER_SHARE = 0.01  # of a size that was computed: what the file's header may differ by


@dataclass(frozen=True, slots=True)
class Licence:
    """Terms to accept before the first download; a new ``version`` asks again."""

    key: str
    name: str
    version: str
    url: str


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file on the hub, and ComfyUI's folder for it.

    ``revision`` is a commit where one is known, else a branch; ``sha256`` None leaves the check to
    the size and the hash that the hub announces.
    """

    repo: str
    revision: str
    path: str  # inside the repository
    folder: str  # ComfyUI's folder type, e.g. "loras"
    size_bytes: int
    sha256: str | None
    licence: Licence
    exact: bool = True  # else the size is computed: the hub announces the right one for the commit

    def may_be(self, size_bytes: int) -> bool:
        """Tell whether a file of ``size_bytes`` may be this one."""
        near = abs(size_bytes - self.size_bytes) <= _HEADER_SHARE * self.size_bytes
        return near and (size_bytes == self.size_bytes or not self.exact)

    @property
    def name(self) -> str:
        """Return the file name as a graph writes it."""
        return self.path.rpartition("/")[2]


LTX2_LICENCE = Licence(
    key="ltx2",
    name="LTX-2 Community License Agreement",
    version="2026-01-05",
    url="https://huggingface.co/Lightricks/LTX-2.3/blob/main/LICENSE",
)
