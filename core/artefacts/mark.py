"""Whose a prefix of a bucket is: an object names the database that its artefacts belong to.

What no row names is deleted, so a prefix that another database owns must never be swept, and none
is taken that holds something and no mark.
"""

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import obstore

from core.artefacts.trouble import is_bucket_absent
from core.errors.artefacts import BucketForeign

if TYPE_CHECKING:
    from obstore.store import S3Store

MARK_NAME = ".clapper"
_FIRST_LINE = "artefacts of clapper, of the database"
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark of one database."""

    owner: str  # the random name of the database
    address: str  # of the bucket, for operators

    def claim(self, store: "S3Store") -> None:
        """Make the prefix ours, or see that it is; writing it anew keeps it from expiring.

        Raises:
            BucketForeign: another database has it, or somebody keeps other things there.
        """
        found = read_mark(store)
        if found is None:
            strange = first_object(store)
            if strange:
                raise BucketForeign(self.address, strange[:_SHOWN], MARK_NAME)
        elif found != self.owner:
            raise BucketForeign(self.address, found[:_SHOWN], MARK_NAME)
        obstore.put(store, MARK_NAME, f"{_FIRST_LINE}\n{self.owner}\n".encode())

    def require(self, store: "S3Store") -> None:
        """See that the prefix is still ours, and nobody else wrote a mark there.

        Raises:
            BucketForeign: it is not.
        """
        found = read_mark(store)
        if found != self.owner:
            raise BucketForeign(self.address, (found or "-")[:_SHOWN], MARK_NAME)


def read_mark(store: "S3Store") -> str | None:
    """Read whose the prefix is; None where there is no mark, empty where it is no mark of ours.

    Raises:
        FileNotFoundError: there is no such bucket.
    """
    try:
        found = bytes(obstore.get(store, MARK_NAME).bytes())
    except FileNotFoundError as error:
        if is_bucket_absent(error):
            raise
        return None
    lines = found[:1000].decode("utf-8", "replace").splitlines()
    return lines[1] if len(lines) > 1 and lines[0] == _FIRST_LINE else ""


def first_object(store: "S3Store") -> str:
    """Return the name of any object below the prefix; empty where there is none."""
    for page in obstore.list(store, chunk_size=1):  # pyright: ignore[reportUnknownMemberType]  # arrow's
        for found in islice(page, 1):
            return found["path"]
    return ""
