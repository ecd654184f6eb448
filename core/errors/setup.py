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


class SchemaBehind(SetupProblem):
    """The database lacks migrations, and this program may not apply them."""

    found: int
    known: int
    command: str = "clapper db migrate"


class CopyUnfinished(SetupProblem):
    """Rows are being copied into the database, or somebody broke that off."""

    command: str = "clapper db copy"


class MigrationChanged(SetupProblem):
    """An applied migration file differs from what was applied."""

    name: str


class DatabaseDamaged(SetupProblem):
    """SQLite's integrity check or our invariants failed."""

    detail: str


class DatabaseForeign(SetupProblem):
    """The database belongs to another program: it has tables such as ``found`` and none of ours."""

    path: str
    found: str


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


class SettingsThere(SetupProblem):
    """``clapper setup`` found a file of settings, which it does not write over."""

    path: str


class NotReady(SetupProblem):
    """The service cannot work as it is set up; ``findings`` are sentences, one a line."""

    findings: str


class NothingToServe(SetupProblem):
    """No front is configured, or every one of them failed."""


class ControlBroken(SetupProblem):
    """What came over the control socket is no message of ours; ``what`` is a short code."""

    what: str


class ControlVersion(SetupProblem):
    """The two sides of the control socket are of different versions."""

    found: str
    known: str


class ControlSilent(SetupProblem):
    """The service has the control socket and does not answer within ``limit_s``."""

    limit_s: float


class ControlBusy(SetupProblem):
    """As many commands use the control socket as may at a time."""

    limit: int


class ServiceGone(SetupProblem):
    """The service ended while it answered a command."""


class NoServiceRuns(SetupProblem):
    """A command needs a running service, and none uses this data directory."""

    path: str


class ServiceUnreachable(SetupProblem):
    """A process uses the data directory, and takes no commands: there is no way to its socket."""

    path: str


class PeerRefused(SetupProblem):
    """The other side of the control socket belongs to another account of this machine."""

    uid: int


class ServiceUnreadable(SetupProblem):
    """The rows cannot be read in time: another program holds the database, or it is broken."""
