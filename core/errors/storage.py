"""What can keep files and the database from being read or written, as data.

Each names one cause, since each has a fix of its own. A database that cannot be reached is not a
damaged one: :class:`core.errors.setup.DatabaseDamaged` is for what SQLite found in the file itself.
"""

from core.errors.base import SetupProblem
from core.errors.refusals import Refused


class StorageUnavailable(Refused):
    """The rows cannot be read or written just now; nothing was changed.

    ``reason`` is the code of the cause, which is for the operator and is this error's
    ``__cause__``: it names paths, and people are told none.
    """

    reason: str


class StorageProblem(SetupProblem):
    """The system refuses what has to be done with ``path``."""

    path: str


class StorageFull(StorageProblem):
    """No space is left on the disk."""


class StorageFilesUsed(StorageProblem):
    """The disk has room, and takes no more files: its table of them is full."""


class StorageQuotaUsed(StorageProblem):
    """The account that runs Clapper has used up its share of the disk."""


class FileTooLarge(StorageProblem):
    """The file would grow beyond what a file of this process may have."""

    limit_bytes: int


class StorageReadOnly(StorageProblem):
    """The disk is mounted read-only."""


class StorageForbidden(StorageProblem):
    """The account that runs Clapper may not do that."""


class StorageFaulty(StorageProblem):
    """The disk, its cable or the network behind it reports errors."""

    detail: str


class StorageGone(StorageProblem):
    """It is not there, or not there any more."""


class PathIsFolder(StorageProblem):
    """A folder lies where a file has to be."""


class PathIsFile(StorageProblem):
    """Something that is no folder lies where a folder has to be."""


class NotAFile(StorageProblem):
    """A pipe, a socket or a device lies where a file has to be."""


class NameTooLong(StorageProblem):
    """The name is longer than the file system takes; usual is 255 bytes a name, 4096 in all."""


class LinksInCircle(StorageProblem):
    """Its links lead in a circle, or over more than the system follows."""


class StorageInUse(StorageProblem):
    """Another program keeps it from being changed."""


class StorageUnsupported(StorageProblem):
    """The file system cannot do that, e.g. it has no locks."""

    detail: str


class StorageUnusable(StorageProblem):
    """The system refuses for another reason, ``detail``."""

    detail: str


class DatabaseLocked(StorageProblem):
    """Another program holds the database and did not let go in time."""


class DatabaseInUse(StorageProblem):
    """Another Clapper uses the database, from another data directory."""


class TooManyOpenFiles(SetupProblem):
    """The process has as many files open as it may."""


class TooManyThreads(SetupProblem):
    """The account, or the container, has as many threads and processes as it may."""


class MemoryShort(SetupProblem):
    """The system has no memory left."""


class ServerProblem(SetupProblem):
    """The database ``server``, named by host, port and database, cannot do what has to be done."""

    server: str


class ServerUnreachable(ServerProblem):
    """It does not answer, or the connection was cut."""

    detail: str


class ServerRefuses(ServerProblem):
    """It does not know account, password or database, or the account lacks rights."""

    detail: str


class ServerBusy(ServerProblem):
    """It did not get round to it in time: somebody else holds what is needed."""


class ServerFull(ServerProblem):
    """No space is left on its disk."""


class ServerReadOnly(ServerProblem):
    """It takes no changes: it is a replica, or an operator said so."""


class ServerOverloaded(ServerProblem):
    """It has no connection or no memory left."""

    detail: str


class ServerFaulty(ServerProblem):
    """Its system reports errors, e.g. of the disk."""

    detail: str
