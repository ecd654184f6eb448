"""The terms of the models: shown once, accepted once, remembered in the data folder."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import cast

from core.errors.setup import LicenceNotAccepted
from core.models.catalog import Licence, ModelFile
from core.models.errors import AcceptanceNotKept
from core.runtime.atomic_files import only_writer_of, replace_whole
from core.runtime.clock import Clock


def licences_of(files: Iterable[ModelFile]) -> tuple[Licence, ...]:
    """Return the licences of ``files``, each once."""
    return tuple(dict.fromkeys(file.licence for file in files))


class Acceptance:
    """Which licences were accepted, in which version and when; one small JSON file."""

    def __init__(self, path: Path, clock: Clock, *, granted: bool = False) -> None:
        self._path = path
        self._clock = clock
        self._granted = granted  # the operator accepted all by configuration

    def missing(self, files: Iterable[ModelFile]) -> tuple[Licence, ...]:
        """List the licences of ``files`` that nobody accepted in their current version."""
        if self._granted:
            return ()
        accepted = self._read()
        return tuple(
            licence
            for licence in licences_of(files)
            if accepted.get(licence.key, {}).get("version") != licence.version
        )

    def accept(self, licences: Iterable[Licence]) -> None:
        """Remember that ``licences`` were accepted now.

        Raises:
            AcceptanceNotKept: the data folder cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with only_writer_of(self._path):
                accepted = self._read()
                for licence in licences:
                    accepted[licence.key] = {"version": licence.version, "at_ms": self._clock()}
                replace_whole(self._path, json.dumps(accepted, indent=2) + "\n")
        except OSError as error:
            raise AcceptanceNotKept(str(self._path), error.strerror or "") from None

    def require(self, files: Iterable[ModelFile]) -> None:
        """Do nothing if every licence of ``files`` was accepted.

        Raises:
            LicenceNotAccepted: with the names of those that were not, and where to read them.
        """
        open_ones = self.missing(files)
        if open_ones:
            raise LicenceNotAccepted(", ".join(f"{item.name} ({item.url})" for item in open_ones))

    def _read(self) -> dict[str, dict[str, object]]:
        try:
            content = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        found = cast("dict[str, object]", content) if isinstance(content, dict) else {}
        return {
            key: cast("dict[str, object]", entry)
            for key, entry in found.items()
            if isinstance(entry, dict)
        }
