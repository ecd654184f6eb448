"""Sign requests for one object that anybody may make for some minutes (AWS Signature Version 4).

obstore signs addresses too, but takes no further parameters, and the name under which a browser
saves a file has to be one: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from pydantic import SecretStr

_HOUR_S = 3600
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
READ, WRITE = "GET", "PUT"


@dataclass(frozen=True, slots=True)
class ObjectRequest:
    """What is asked of a bucket about one object.

    Attributes:
        method: ``GET`` or ``PUT``.
        endpoint: of the server, with its scheme, without the bucket.
        path: of the bucket and the object in it.
        parameters: of the address, beside those of the signature.
        headers: by their names in small letters; all of them are signed.
    """

    method: str
    endpoint: str
    path: str
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def names(self) -> str:
        """Return the names of the headers that are signed."""
        return ";".join(sorted({"host", *self.headers}))

    def query(self, credential: str, stamp: str, seconds: int) -> str:
        """Return the parameters that are signed, in their order."""
        all_of_them = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": credential,
            "X-Amz-Date": stamp,
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": self.names,
            **self.parameters,
        }
        return "&".join(
            f"{name}={quote(value, safe='')}" for name, value in sorted(all_of_them.items())
        )

    def canonical(self, query: str) -> str:
        """Return the text whose digest is signed."""
        host = urlsplit(self.endpoint).netloc
        headers = {**self.headers, "host": host}
        lines = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
        return (
            f"{self.method}\n{quote(self.path)}\n{query}\n{lines}\n{self.names}\nUNSIGNED-PAYLOAD"
        )

    def address(self, signature: "Signature") -> str:
        """Return where to send the request."""
        query = self.query(signature.credential, signature.stamp, signature.seconds)
        return f"{self.endpoint}{quote(self.path)}?{query}&X-Amz-Signature={signature.digest}"


@dataclass(frozen=True, slots=True)
class Signature:
    """Lets one request be made for some time.

    Attributes:
        credential: which key signed, for which day and region; no secret.
        stamp: when, as S3 writes it.
        seconds: how long it works from then on.
        digest: of the request, by the key.
    """

    credential: str
    stamp: str
    seconds: int
    digest: str


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
        shown = {
            "response-cache-control": "private, max-age=600",
            "response-content-disposition": disposition(save_as),
            "response-content-type": content_type,
        }
        asked = ObjectRequest(READ, self.endpoint, f"/{self.bucket}/{key}", shown)
        return asked.address(self.signature(asked, seconds, now_ms))

    def signature(self, asked: ObjectRequest, seconds: int, now_ms: int) -> Signature:
        """Sign one request.

        Args:
            asked: of the bucket.
            seconds: 1 to 3600, how long it works.
            now_ms: epoch milliseconds.

        Raises:
            ValueError: another time.
        """
        if not 1 <= seconds <= _HOUR_S:
            raise ValueError(f"{seconds} s")
        stamp = f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y%m%dT%H%M%SZ}"
        scope = f"{stamp[:8]}/{self.region}/s3/aws4_request"
        credential = f"{self.key_id}/{scope}"
        text = asked.canonical(asked.query(credential, stamp, seconds))
        digest = hashlib.sha256(text.encode()).hexdigest()
        signed = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
        made = hmac.new(self._key(stamp[:8]), signed.encode(), hashlib.sha256).hexdigest()
        return Signature(credential, stamp, seconds, made)

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
