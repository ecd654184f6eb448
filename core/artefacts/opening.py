"""Open what the settings choose; the library for buckets is imported only where one is."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from pydantic import SecretStr

from core.artefacts.folder import FolderArtefacts
from core.artefacts.presign import UrlSigner
from core.errors.artefacts import BucketForeign, BucketKeysMissing, BucketLibraryMissing
from core.interfaces.artefacts import Artefacts
from core.runtime.extras import install_extra
from core.settings import Settings
from core.settings.artefacts import ArtefactSettings

if TYPE_CHECKING:
    from obstore.store import S3Store

GIGABYTE = 1_000_000_000
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


async def open_artefacts(settings: Settings, owner: Callable[[], Awaitable[str]]) -> Artefacts:
    """Open the folders of the data directory, or the bucket, and make its prefix ours.

    Args:
        settings: of the installation.
        owner: asked for the random name of the database, where a bucket needs it.

    Raises:
        BucketLibraryMissing: obstore is not installed.
        BucketKeysMissing: the settings hold no key.
        BucketUnknown, BucketKeysRefused, BucketForbidden, BucketUnreachable, BucketFailing: it
            cannot be used.
        BucketForeign: the prefix belongs to another database, or to somebody else.
    """
    chosen = settings.artefacts
    if not chosen.shared:
        return FolderArtefacts(settings.data_dir)
    store = open_store(chosen)
    from core.artefacts.bucket import BucketArtefacts
    from core.artefacts.cache import NodeCache
    from core.artefacts.mark import Mark
    from core.artefacts.trouble import named_bucket_troubles

    mark, endpoint = Mark(await owner(), chosen.place), endpoint_of(chosen)
    with named_bucket_troubles(chosen.place, endpoint, settings.data_dir):
        await asyncio.to_thread(mark.claim, store)
    signer = signer_of(chosen)
    cache = NodeCache(settings.data_dir, round(chosen.cache_gigabytes * GIGABYTE))
    public = signer if chosen.s3_public else None
    return BucketArtefacts(store, cache, mark, public, chosen.place, endpoint)


def examine_bucket(chosen: ArtefactSettings) -> str | None:
    """See whether the bucket can be read and written; nothing stays of it.

    Returns:
        The random name of the database that the prefix belongs to; None where it has none yet.

    Raises:
        SetupProblem: as :func:`open_artefacts`.
        BucketForeign: somebody keeps other things there.
    """
    store = open_store(chosen)
    import obstore

    from core.artefacts.mark import MARK_NAME, first_object, read_mark
    from core.artefacts.trouble import named_bucket_troubles

    with named_bucket_troubles(chosen.place, endpoint_of(chosen), Path()):
        found = read_mark(store)
        strange = first_object(store) if found is None else ""
        if found == "" or strange:
            raise BucketForeign(chosen.place, strange or MARK_NAME, MARK_NAME)
        probe = f".probe-{uuid4().hex}"
        obstore.put(store, probe, b"-")
        obstore.delete(store, probe)
    return found


def open_store(chosen: ArtefactSettings) -> "S3Store":
    """Return the bucket below its prefix; nothing is asked of it yet.

    Raises:
        BucketLibraryMissing: obstore is not installed.
        BucketKeysMissing: the settings hold no key.
    """
    try:
        from obstore.store import S3Store
    except ImportError:
        raise BucketLibraryMissing(install_extra("cluster")) from None
    key_id, secret = keys_of(chosen)
    return S3Store(
        chosen.bucket,
        prefix=chosen.key_prefix or None,
        endpoint=endpoint_of(chosen),
        region=chosen.s3_region,
        access_key_id=key_id.get_secret_value(),
        secret_access_key=secret.get_secret_value(),
        client_options={
            "allow_http": True,  # the operator's endpoint says which; doctor remarks on it
            "connect_timeout": timedelta(seconds=5),
            "read_timeout": timedelta(seconds=30),
            "timeout": timedelta(seconds=300),  # of one request, as a delivery
        },
        retry_config={
            "max_retries": 5,
            "retry_timeout": timedelta(seconds=60),
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=10),
                "base": 2,
            },
        },
    )


def signer_of(chosen: ArtefactSettings) -> UrlSigner:
    """Return what signs with the key of the settings.

    Raises:
        BucketKeysMissing: the settings hold none.
    """
    key_id, secret = keys_of(chosen)
    key = key_id.get_secret_value()
    return UrlSigner(endpoint_of(chosen), chosen.bucket, chosen.s3_region, key, secret)


def keys_of(chosen: ArtefactSettings) -> tuple[SecretStr, SecretStr]:
    """Return the access key and its secret.

    Raises:
        BucketKeysMissing: the settings hold none.
    """
    key_id, secret = chosen.s3_access_key_id, chosen.s3_secret_access_key
    if key_id is None or secret is None:
        given = {"CLAPPER_S3_ACCESS_KEY_ID": key_id, "CLAPPER_S3_SECRET_ACCESS_KEY": secret}
        missing = [name for name, value in given.items() if value is None]
        raise BucketKeysMissing(chosen.place, ", ".join(missing))
    return key_id, secret


def endpoint_of(chosen: ArtefactSettings) -> str:
    """Return where the bucket is asked, without a slash at the end; Amazon's own by default."""
    return (chosen.s3_endpoint or f"https://s3.{chosen.s3_region}.amazonaws.com").rstrip("/")


def is_readable_on_the_way(chosen: ArtefactSettings) -> bool:
    """Tell whether others may read what goes to the bucket: plain HTTP beyond this machine."""
    parts = urlsplit(endpoint_of(chosen))
    return parts.scheme == "http" and parts.hostname not in _LOCAL
