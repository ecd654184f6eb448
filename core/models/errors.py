"""What can be wrong with model files and their download. Each has its sentence and its fix."""

from core.errors import SetupProblem
from core.errors.setup import DownloadFailed


class HubOffline(DownloadFailed):
    """The hub does not answer, or the client was told to stay offline."""

    reason: str = "offline"


class HubBroken(DownloadFailed):
    """The hub answers with errors of its own; ``status`` is the last HTTP status."""

    reason: str = "server"
    status: int = 0


class HubGated(DownloadFailed):
    """Somebody has to accept the terms on the repository's page first."""

    reason: str = "gated"
    page: str = ""


class HubTokenRefused(DownloadFailed):
    """The hub knows no such token, or the token may not read the repository."""

    reason: str = "token"
    page: str = ""


class HubFileMissing(DownloadFailed):
    """The repository, the revision or the file is not there; ``page`` is the repository."""

    reason: str = "missing"
    page: str = ""


class HubFileMoved(DownloadFailed):
    """The file is gone and ``becomes`` is its successor."""

    reason: str = "moved"
    becomes: str = ""


class DownloadCut(DownloadFailed):
    """The connection broke too often; ``done_bytes`` of ``total_bytes`` are kept."""

    reason: str = "interrupted"
    done_bytes: int = 0
    total_bytes: int = 0


class ChecksumWrong(DownloadFailed):
    """The bytes are not those that were published; they were removed."""

    reason: str = "checksum"


class DiskTooSmall(DownloadFailed):
    """The files do not fit; whatever was downloaded is kept."""

    reason: str = "disk"
    need_bytes: int = 0
    free_bytes: int = 0


class FolderUnwritable(DownloadFailed):
    """The hub cache or the models folder cannot be written; ``detail`` is the system's reason."""

    reason: str = "unwritable"


class AcceptanceNotKept(SetupProblem):
    """Nobody can write down that the terms were accepted; ``detail`` is the system's reason."""

    path: str
    detail: str


class FileNotRemoved(SetupProblem):
    """The system refuses to remove a file; ``detail`` is its reason."""

    path: str
    detail: str


class ModelFileRefused(SetupProblem):
    """A file that is never loaded: not safetensors, truncated, or inconsistent in itself."""

    file: str
    fault: str


class ModelPlaceTaken(SetupProblem):
    """Another file of that name lies in the models folder, and it is not ours to replace."""

    file: str


class LoraRefused(SetupProblem):
    """A LoRA made for ``found`` does not fit the models in use, which are ``base``."""

    file: str
    found: str
    base: str
