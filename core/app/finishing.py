"""Turn what an executor made into a clip, as the settings say."""

from core.domain.continuation import film_frames, film_of
from core.domain.media import Clip, RawClip
from core.interfaces.executor import Order
from core.media.output.clip_writer import write_clip
from core.media.output.credentials import ContentCredentials
from core.media.output.film import FilmBefore
from core.media.output.provenance import Provenance
from core.runtime.cancellation import CancelToken
from core.settings import Settings
from core.worker.worker import Finish


def finisher(settings: Settings, *, by_attempt: bool | None = None) -> Finish:
    """Make what the worker calls with the frames of each attempt.

    ``by_attempt``: clips are named by it; by default where a bucket keeps them.

    Raises:
        SetupProblem: clips are to be signed, and cannot be; as of :meth:`ContentCredentials.open`.
    """
    pair = settings.credentials
    credentials = ContentCredentials.open(pair.certificate, pair.key)
    named = settings.artefacts.shared if by_attempt is None else by_attempt

    async def to_clip(raw: RawClip, order: Order, cancel: CancelToken) -> Clip:
        provenance = Provenance.of(
            order.job_id,
            order.asked or order.request,
            with_prompt=settings.retention.prompt_in_metadata,
        )
        # all nodes of a bucket name clips by their attempts, which the workspaces are named by
        name = order.workspace.name if named else None
        film = film_of(order.request)
        before = film and FilmBefore(order.path_of(film), film_frames(film, raw.fps))
        return await write_clip(
            raw,
            settings.clips_folder,
            provenance,
            cancel,
            name=name,
            before=before,
            credentials=credentials,
        )

    return to_clip
