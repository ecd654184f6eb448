"""Where clips and inputs are kept: in the data directory, or in a bucket that nodes share."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from core.settings.area import Area, ReadFrom
from core.settings.kinds import WebAddress
from core.settings.problems import SettingRefused

IN_FOLDERS = "file"
# names of buckets as S3 takes them; a prefix of ours has no characters that need quoting
_BUCKET = re.compile(
    r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)/?"
)


def artefact_place(text: str) -> str:
    """Return ``text``: ``file``, or ``s3://bucket/prefix`` without a slash at the end.

    Raises:
        SettingRefused: it is neither.
    """
    if text == IN_FOLDERS:
        return text
    if not _BUCKET.fullmatch(text):
        raise SettingRefused("setting_no_bucket")
    return text.rstrip("/")


class ArtefactSettings(Area):
    """Where clips and inputs are kept."""

    place: Annotated[str, AfterValidator(artefact_place), ReadFrom("CLAPPER_ARTEFACTS")] = (
        IN_FOLDERS
    )
    # the data directory is one folder for all nodes, e.g. of a network disk
    artefacts_shared: bool = False
    s3_endpoint: WebAddress = ""  # empty: Amazon's own
    s3_region: str = Field(default="us-east-1", pattern=r"^[a-z0-9-]{1,40}$")
    s3_access_key_id: SecretStr | None = None
    s3_secret_access_key: SecretStr | None = None
    # browsers reach the endpoint too: clips are read from there instead of through this node
    s3_public: bool = False
    # fetched and kept on this node, decimal; the least recently used goes first
    cache_gigabytes: float = Field(default=20, ge=0.1, le=1e6)

    @property
    def shared(self) -> bool:
        """Return whether a bucket keeps them."""
        return self.place != IN_FOLDERS

    @property
    def bucket(self) -> str:
        """Return the name of the bucket; empty where there is none."""
        found = _BUCKET.fullmatch(self.place)
        return found[1] if found else ""

    @property
    def key_prefix(self) -> str:
        """Return what begins the names in the bucket, without a slash at the end."""
        found = _BUCKET.fullmatch(self.place)
        return found[2].strip("/") if found else ""
