"""Whether the log may go where the settings say: looked at before anything is written there."""

import os
from pathlib import Path

from core.errors.setup import BadConfiguration
from core.i18n.messages import say
from core.runtime.paths import readable
from core.settings import Settings
from core.storage.addresses import database_file
from core.storage.claim import claim, is_place_of_ours


def log_problem(settings: Settings) -> BadConfiguration | None:
    """Return why no log can be kept at the place of the settings; None where it can.

    Raises:
        BadConfiguration: the address of the database is none.
    """
    path = settings.log.file
    if path is None:
        return None
    try:
        reason = _reason(path, settings)
    except OSError as error:
        reason = error.strerror or type(error).__name__
    return BadConfiguration("CLAPPER_LOG_FILE", f"{readable(path)}: {reason}") if reason else None


def prepare_log_place(settings: Settings) -> None:
    """Make sure that a log may be opened; it may be the first file of the data directory.

    Raises:
        BadConfiguration: it cannot be kept there.
        SetupProblem: it is to lie in the data directory, which cannot be ours.
    """
    problem = log_problem(settings)
    if problem is not None:
        raise problem
    path = settings.log.file
    if path is not None and path.is_relative_to(settings.data_dir):
        claim(settings.data_dir)  # else the log would make it look like somebody else's


def _reason(path: Path, settings: Settings) -> str:
    rows = database_file(settings.database)
    rows = None if rows is None else rows.resolve()
    if is_place_of_ours(path.resolve(), settings.data_dir.resolve(), rows):
        return say("log_place_of_ours")
    if path.exists():
        return "" if path.is_file() and os.access(path, os.W_OK) else say("log_no_file")
    folder = next(one for one in path.parents if one.exists())
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return ""
    return say("log_folder_unwritable", {"path": readable(folder)})
