"""What can stop ``clapper comfy install``. Each has its sentence and its fix."""

from core.errors import SetupProblem
from core.errors.setup import DownloadFailed


class RepositoryOffline(DownloadFailed):
    """Nobody answers at ``source``; ``detail`` is git's own complaint."""

    reason: str = "offline"
    source: str = ""


class RepositoryRefused(DownloadFailed):
    """``source`` refuses: it is gone, private, or needs a password."""

    reason: str = "refused"
    source: str = ""


class CommitUnknown(DownloadFailed):
    """``source`` has no such commit."""

    reason: str = "unknown_commit"
    source: str = ""
    commit: str = ""


class ReferenceUnknown(DownloadFailed):
    """``source`` has no tag and no branch ``ref``."""

    reason: str = "unknown_reference"
    source: str = ""
    ref: str = ""


class CheckoutBroken(DownloadFailed):
    """Git cannot use what lies in ``path``, not even after a fresh start."""

    reason: str = "broken"
    path: str = ""


class CheckoutDiskFull(DownloadFailed):
    """The disk of ``path`` is full; what was there before is still there, and nothing else is."""

    reason: str = "disk"
    path: str = ""
    need_bytes: int = 0  # about
    free_bytes: int = 0


class CheckoutUnwritable(DownloadFailed):
    """``path`` cannot be written; ``detail`` is the system's reason."""

    reason: str = "unwritable"
    path: str = ""


class GitMissing(DownloadFailed):
    """There is no ``git`` on this machine."""

    reason: str = "git_missing"


class ArchiveOffline(DownloadFailed):
    """The archive of the commit at ``source`` is not to be had; ``detail`` is the reason."""

    reason: str = "offline"
    source: str = ""


class ArchiveAltered(DownloadFailed):
    """What came from ``source`` is not the content of the pinned commit; it was thrown away."""

    reason: str = "checksum"
    source: str = ""
    found: str = ""


class PackagesOffline(DownloadFailed):
    """The package index does not answer."""

    reason: str = "offline"


class PackagesDiskFull(DownloadFailed):
    """The disk of ``path`` is full: where packages go, or where temporary files do."""

    reason: str = "disk"
    path: str = ""
    need_bytes: int = 0  # about
    free_bytes: int = 0


class PackagesFailed(DownloadFailed):
    """The package installer ended with an error; ``detail`` is its last line."""

    reason: str = "pip_failed"


class InstallerMissing(DownloadFailed):
    """The running interpreter has no ``pip``; ``python`` is that interpreter."""

    reason: str = "pip_missing"
    python: str = ""


class CandidateFailed(SetupProblem):
    """The ComfyUI of ``ref`` in ``path`` was tried and is not used; ``broken`` says why."""

    ref: str
    path: str
    broken: str


class TrialDiskFull(SetupProblem):
    """The disk of ``path`` has no room for trying the ComfyUI of ``ref``, or for choosing it."""

    ref: str
    path: str
    need_bytes: int  # about
    free_bytes: int
