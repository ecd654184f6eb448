"""Name the cause of what went wrong with a bucket, each of which has another fix."""

import errno
import re
from pathlib import Path

from core.errors import ClapperError
from core.errors.artefacts import (
    BucketFailing,
    BucketForbidden,
    BucketKeysRefused,
    BucketUnknown,
    BucketUnreachable,
    CacheFull,
)

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_BAD_KEYS = frozenset(
    {"SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidToken", "ExpiredToken", "Unauthorized"}
)
_SILENT = 60  # characters of the detail


def is_bucket_absent(error: Exception) -> bool:
    """Tell whether ``error`` says that there is no such bucket, rather than no such object."""
    return "NoSuchBucket" in str(error)


def bucket_problem(error: Exception, address: str, endpoint: str) -> ClapperError:
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
    if isinstance(error, ValueError) or "builder" in text:
        return BucketFailing(address, type(error).__name__[:_SILENT])
    return BucketUnreachable(address, endpoint)


def file_problem(error: OSError, folder: Path) -> ClapperError | None:
    """Return the cause of ``error`` where the disk of ``folder`` is full."""
    return CacheFull(str(folder)) if error.errno in NO_ROOM else None
