"""Sign an address at which anybody may read one object for some minutes (AWS Signature Version 4).

obstore signs addresses too, but takes no further parameters, and the name under which a browser
saves a file has to be one: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from pydantic import SecretStr

_HOUR_S = 3600
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")


@dataclass(frozen=True, slots=True)
class UrlSigner:
    """Signs for one bucket with one key."""

    endpoint: str  # with its scheme, without the bucket
    bucket: str
    region: str
    key_id: str
    secret: SecretStr = field(repr=False)

    def sign(self, key: str, seconds: int, content_type: str, save_as: str, now_ms: int) -> str:
        """Return an address to read the object ``key``.

        Args:
            key: the whole name in the bucket.
            seconds: 1 to 3600, how long it works.
            content_type: what the browser is told.
            save_as: the name of the download; empty: the browser shows it.
            now_ms: epoch milliseconds.

        Raises:
            ValueError: another time, or a name that may not stand in a header.
        """
        if not 1 <= seconds <= _HOUR_S:
            raise ValueError(f"{seconds} s")
        host = urlsplit(self.endpoint).netloc
        path = quote(f"/{self.bucket}/{key}")
        stamp = f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y%m%dT%H%M%SZ}"
        scope = f"{stamp[:8]}/{self.region}/s3/aws4_request"
        query = "&".join(
            f"{name}={quote(value, safe='')}"
            for name, value in sorted(
                {
                    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
                    "X-Amz-Credential": f"{self.key_id}/{scope}",
                    "X-Amz-Date": stamp,
                    "X-Amz-Expires": str(seconds),
                    "X-Amz-SignedHeaders": "host",
                    "response-cache-control": "private, max-age=600",
                    "response-content-disposition": disposition(save_as),
                    "response-content-type": content_type,
                }.items()
            )
        )
        asked = f"GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(asked.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
        signature = hmac.new(self._key(stamp[:8]), text.encode(), hashlib.sha256).hexdigest()
        base = f"{urlsplit(self.endpoint).scheme}://{host}"
        return f"{base}{path}?{query}&X-Amz-Signature={signature}"

    def _key(self, day: str) -> bytes:
        made = b"AWS4" + self.secret.get_secret_value().encode()
        for part in (day, self.region, "s3", "aws4_request"):
            made = hmac.new(made, part.encode(), hashlib.sha256).digest()
        return made


def disposition(save_as: str) -> str:
    """Return the header that makes a browser save a file as ``save_as``, or show it if empty.

    Raises:
        ValueError: the name holds what may not stand there; ours are letters, digits, ``._-``.
    """
    if not save_as:
        return "inline"
    if not _SAFE_NAME.fullmatch(save_as):
        raise ValueError(f"{save_as!r} is no name for a header")
    return f'attachment; filename="{save_as}"'
