"""What can keep clips and inputs from being stored or fetched, as data.

The causes are for the operator and name the bucket; people are told
:class:`ArtefactsUnavailable`, whose ``__cause__`` is one of them.
"""

from core.errors.base import SetupProblem
from core.errors.refusals import Refused


class ArtefactGone(Refused):
    """There is no artefact called ``name``."""

    name: str


class ArtefactsUnavailable(Refused):
    """Clips and inputs cannot be reached just now; ``reason`` is the code of the cause."""

    reason: str


class BucketProblem(SetupProblem):
    """The bucket at ``address`` cannot be used."""

    address: str


class BucketKeysMissing(BucketProblem):
    """No access key is set; ``names`` are the variables."""

    names: str


class BucketUnknown(BucketProblem):
    """There is no such bucket."""


class BucketKeysRefused(BucketProblem):
    """The server knows no such access key, or the signature is wrong."""


class BucketForbidden(BucketProblem):
    """The key is good, and what was asked for is not allowed to it."""


class BucketUnreachable(BucketProblem):
    """Nobody answers there in time; ``endpoint`` was asked."""

    endpoint: str


class BucketFailing(BucketProblem):
    """The server answers with an error; ``detail`` is its code."""

    detail: str


class BucketForeign(BucketProblem):
    """Another Clapper, or somebody else, keeps objects under this prefix; ``found`` tells what.

    ``mark`` is the object that says whose the prefix is.
    """

    found: str
    mark: str


class BucketLibraryMissing(SetupProblem):
    """The library for buckets is not installed; ``command`` installs it."""

    command: str


class CacheFull(SetupProblem):
    """No room is left at ``path`` for what has to be fetched."""

    path: str


class ArtefactDamaged(SetupProblem):
    """What was fetched as ``name`` is not what was stored: its SHA-256 is another."""

    name: str
