"""Tell which model files are not on this machine."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING

from core.models.catalog import ModelFile
from core.settings import Settings

if TYPE_CHECKING:
    from core.models.store import ModelStore


def missing_files(settings: Settings) -> Callable[[Iterable[ModelFile]], Iterable[ModelFile]]:
    """Make what tells which model files are not on this machine; asks the disk."""

    @cache
    def store() -> "ModelStore":
        # brings the hub's client, 0.15 s to import, which only previews need and no command does
        from core.models.setup import open_store

        return open_store(settings)

    def missing(files: Iterable[ModelFile]) -> Iterable[ModelFile]:
        return store().missing(files)

    return missing
