"""Who may do what with the bucket: fronts have its key, workers ask them for signatures."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from core.app.joining import Deployment
from core.artefacts.cache import NodeCache
from core.artefacts.links import BucketPlace, Links, LinkWish
from core.artefacts.opening import GIGABYTE, endpoint_of, open_artefacts, signer_of
from core.bus.bucket_links import AskedLinks, BucketLinks, LinkAnswers, NoLinks
from core.bus.bus import Bus
from core.domain.nodes import NodeRole
from core.interfaces.artefacts import CLIPS, MEDIA, Artefacts
from core.runtime.clock import now_ms
from core.runtime.file_names import clip_stem
from core.settings import Settings
from core.storage import files
from core.storage.bucket_wishes import BucketWishes
from core.storage.database import Database


@dataclass(frozen=True, slots=True)
class BucketAccess:
    """Where artefacts are kept for this process, and its part in signing."""

    artefacts: Artefacts
    links: BucketLinks


async def open_access(
    settings: Settings,
    deployment: Deployment,
    database: Database,
    bus: Bus,
    owner: Callable[[], Awaitable[str]],
) -> BucketAccess:
    """Open the artefacts of this process.

    Raises:
        BucketProblem: it has a key, and the bucket cannot be used.
    """
    chosen = settings.artefacts
    if not (chosen.shared and deployment.shares_rows):
        return BucketAccess(await open_artefacts(settings, owner), NoLinks())
    keyless = chosen.s3_access_key_id is None and chosen.s3_secret_access_key is None
    if deployment.role is NodeRole.WORKER:
        wishes = BucketWishes(database, now_ms)
        asked = AskedLinks(bus.say, wishes)
        return BucketAccess(_linked(settings, asked), asked)
    if deployment.beside and keyless:  # a command on the machine of a worker
        return BucketAccess(_linked(settings, NoLinks()), NoLinks())
    answers = LinkAnswers(
        signer_of(chosen),
        _place(settings),
        partial(_may, database),
        bus.say,
        BucketWishes(database, now_ms),
    )
    return BucketAccess(await open_artefacts(settings, owner), answers)


def _linked(settings: Settings, links: Links) -> Artefacts:
    from core.artefacts.linked import LinkedArtefacts

    cache = NodeCache(settings.data_dir, round(settings.artefacts.cache_gigabytes * GIGABYTE))
    return LinkedArtefacts(_place(settings), cache, links)


def _place(settings: Settings) -> BucketPlace:
    chosen = settings.artefacts
    return BucketPlace(chosen.place, endpoint_of(chosen), chosen.bucket, chosen.key_prefix)


async def _may(database: Database, wish: LinkWish) -> bool:
    """Tell whether a worker needs ``wish``: an input of a live job, or a clip of its attempt."""
    async with database.snapshot() as connection:
        if not wish.sha256:
            name = wish.name.removeprefix(MEDIA)
            return wish.name.startswith(MEDIA) and await files.is_input_of_live_job(
                connection, name
            )
        job_id, _, attempt = clip_stem(wish.name.removeprefix(CLIPS)).partition(".")
        return wish.name.startswith(CLIPS) and await files.is_clip_of_running_attempt(
            connection, job_id, attempt
        )
