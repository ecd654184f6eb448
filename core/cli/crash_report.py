"""Write down the details of a defect, for its report: for this account alone, without secrets."""

import os
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path

from core.app.logs import secrets_of
from core.app.redaction import Redaction
from core.errors import ClapperError
from core.runtime.atomic_files import write_atomically
from core.runtime.paths import readable
from core.settings import load_settings
from core.storage.claim import CRASH_NAME, is_marked


def write_report(error: BaseException) -> str:
    """Write where ``error`` comes from into the data directory, else a temporary file.

    The newest one replaces an older one.

    Returns:
        The path; ``--debug`` where nothing can be written anywhere.
    """
    secrets: list[str] = []
    folder: Path | None = None
    with suppress(ClapperError, OSError):
        settings = load_settings()
        secrets = secrets_of(settings)
        folder = settings.data_dir if is_marked(settings.data_dir) else None
    text = Redaction(secrets)("".join(traceback.format_exception(error)))
    if folder is not None:
        with suppress(OSError):
            write_atomically(folder / CRASH_NAME, text)
            return readable(folder / CRASH_NAME)
    with suppress(OSError):
        handle, name = tempfile.mkstemp(".txt", "clapper-crash-")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        return readable(Path(name))
    return "--debug"
