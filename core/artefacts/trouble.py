"""Name the cause of what went wrong with a bucket, each of which has another fix."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from obstore.exceptions import BaseError

from core.errors import SetupProblem
from core.errors.artefacts import (
    BucketFailing,
    BucketForbidden,
    BucketKeysRefused,
    BucketUnknown,
    BucketUnreachable,
    CacheFull,
)
from core.runtime.full_disk import NO_ROOM

_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_BAD_KEYS = frozenset(
    {"SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidToken", "ExpiredToken", "Unauthorized"}
)


def is_bucket_absent(error: Exception) -> bool:
    """Tell whether ``error`` says that there is no such bucket, rather than no such object."""
    return "NoSuchBucket" in str(error)


def bucket_problem(error: Exception, address: str, endpoint: str) -> SetupProblem:
    """Return the cause of ``error``, which obstore raised for the bucket ``address``.

    Its text holds the server's answer, and nothing of ours is taken from it but codes: an address
    in it may be signed.
    """
    text = str(error)
    code = match[1] if (match := _CODE.search(text)) else ""
    status = match[1] if (match := _STATUS.search(text)) else ""
    if is_bucket_absent(error):
        return BucketUnknown(address)
    if code in _BAD_KEYS or status == "401":
        return BucketKeysRefused(address)
    if code == "AccessDenied" or (status == "403" and not code):
        return BucketForbidden(address)
    if code or status:
        return BucketFailing(address, code or status)
    return BucketUnreachable(address, endpoint)


@contextmanager
def named_bucket_troubles(address: str, endpoint: str, folder: Path) -> Generator[None]:
    """Tell what breaks inside by its cause.

    Args:
        address: of the bucket, for operators.
        endpoint: where it is asked, for operators.
        folder: where what is fetched goes.

    Raises:
        BucketUnknown: there is no such bucket.
        CacheFull: there is no room in ``folder``.
        bucket_problem: it cannot be used for another cause.
        OSError: something else of this machine.
    """
    try:
        yield
    except BaseError as error:
        raise bucket_problem(error, address, endpoint) from None
    except OSError as error:
        if is_bucket_absent(error):
            raise BucketUnknown(address) from None
        if error.errno in NO_ROOM:
            raise CacheFull(str(folder)) from None
        raise
