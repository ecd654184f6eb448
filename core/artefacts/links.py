"""Signatures that somebody with a key of the bucket makes for a node that has none.

What travels is the signature with what it depends on, never an address: a node goes to the bucket
of its own settings and to nothing else.
"""

from dataclasses import dataclass
from typing import Protocol

from core.artefacts.names import content_type
from core.artefacts.presign import READ, WRITE, ObjectRequest, Signature

LINK_S = 600  # how long a signature works


@dataclass(frozen=True, slots=True)
class LinkWish:
    """What a node wants to do with one object.

    Attributes:
        name: of the artefact.
        sha256: of the file that is to be put there; empty: it is to be read.
        md5: of the same file, in base64: servers hold who writes to it.
    """

    name: str
    sha256: str = ""
    md5: str = ""


class Links(Protocol):
    """Has wishes signed."""

    async def sign(self, wish: LinkWish) -> Signature | None:
        """Wait until somebody signs ``wish``; None where this node may not do it."""
        ...


@dataclass(frozen=True, slots=True)
class BucketPlace:
    """Where the bucket is, as settings of all nodes say alike.

    Attributes:
        address: for operators.
        endpoint: of the server, without a slash at the end.
        bucket: its name.
        prefix: begins the names in it, without a slash at the end.
    """

    address: str
    endpoint: str
    bucket: str
    prefix: str

    def request(self, wish: LinkWish) -> ObjectRequest:
        """Return the request that ``wish`` needs: one object, and one content if it is put."""
        key = f"{self.prefix}/{wish.name}" if self.prefix else wish.name
        path = f"/{self.bucket}/{key}"
        if not wish.sha256:
            return ObjectRequest(READ, self.endpoint, path)
        headers = {
            "content-md5": wish.md5,
            "content-type": content_type(wish.name),
            "x-amz-meta-sha256": wish.sha256,
        }
        return ObjectRequest(WRITE, self.endpoint, path, headers=headers)
