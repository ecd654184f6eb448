"""What can be wrong with the installation, as data. The sentences name the fixing command."""

from core.errors import SetupProblem


class DataDirectoryBusy(SetupProblem):
    """Another Clapper process uses the data directory."""

    path: str


class DataDirectoryForeign(SetupProblem):
    """The folder holds files that are not ours, such as ``found``, and does not bear our mark."""

    path: str
    found: str
    mark: str  # what an operator who knows better may write …
    file: str  # … into this file


class DataDirectoryLink(SetupProblem):
    """A folder of ours inside the data directory is a link to somewhere else."""

    path: str


class SchemaTooNew(SetupProblem):
    """The database was written by a newer Clapper."""

    found: int
    known: int


class MigrationChanged(SetupProblem):
    """An applied migration file differs from what was applied."""

    name: str


class DatabaseDamaged(SetupProblem):
    """SQLite's integrity check or our invariants failed."""

    detail: str


class KeyFileDamaged(SetupProblem):
    """A file that must hold a key of ours holds something else."""

    path: str
    size_bytes: int


class KeyFileUnusable(SetupProblem):
    """The system does not let us read or write a key; ``detail`` is its reason."""

    path: str
    detail: str


class ComfyUnavailable(SetupProblem):
    """ComfyUI, torch or the device is missing; ``missing`` names what, ``command`` fixes it."""

    missing: str
    command: str = "clapper comfy install"


class CheckoutForeign(SetupProblem):
    """The folder for ComfyUI holds something that ``clapper comfy install`` did not put there."""

    path: str


class DownloadFailed(SetupProblem):
    """A download did not complete; ``reason`` is a short code such as ``offline``."""

    what: str
    reason: str
    detail: str = ""


class LicenceNotAccepted(SetupProblem):
    """The licence of the models was not accepted yet."""

    licences: str
    command: str = "clapper models pull --accept-licences"


class BadConfiguration(SetupProblem):
    """A setting has a value that cannot work."""

    setting: str
    reason: str


class BadSettings(BadConfiguration):
    """Settings that cannot work, alone or together; all of them are told at once.

    ``setting`` lists the variables, ``reason`` is a JSON list of pairs of a code and its fields.
    """


class NotReady(SetupProblem):
    """The service cannot work as it is set up; ``findings`` are sentences, one a line."""

    findings: str


class NothingToServe(SetupProblem):
    """No front is configured, or every one of them failed."""
