"""What can go wrong between a program and its interface."""

from core.errors.input import InvalidInput
from core.errors.refusals import Refused


class TokenNeeded(Refused):
    """A request without the token of a program, or with one that is unknown, over or revoked."""


class ScopeMissing(Refused):
    """The token may not do that; ``scope`` is what it lacks."""

    scope: str


class TokenUnknown(InvalidInput):
    """No token that works has this name or beginning."""

    name: str


class TokenNameUnfit(InvalidInput):
    """A name that the account of a program cannot have."""

    name: str


class FieldUnknown(InvalidInput):
    """A field that a request does not have; ``nearest`` is one that it has, or all of them."""

    field: str
    nearest: str


class FieldMissing(InvalidInput):
    """A field that a request must have."""

    field: str


class FieldMistyped(InvalidInput):
    """A value of another type than the field has; ``expected`` says which in JSON's words."""

    field: str
    expected: str


class BodyUnreadable(InvalidInput):
    """What was sent is not what its type says; ``reason`` is a code: json, form, type, size."""

    reason: str


class HeaderUnfit(InvalidInput):
    """A header that cannot be what it says."""

    header: str


class RangeBeyond(InvalidInput):
    """A part of a file that begins behind its end; ``size`` in bytes."""

    size: int

    @property
    def content_range(self) -> str:
        """Return what the header Content-Range says of it."""
        return f"bytes */{self.size}"


class WebhookRefused(InvalidInput):
    """No results are sent to this address; ``reason`` is a code."""

    host: str
    reason: str


class StreamsTooMany(Refused):
    """Somebody has as many streams open as they may."""

    limit: int


class AddressUnknown(Refused):
    """There is nothing at this address, or not by this method."""
