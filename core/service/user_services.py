"""The parts of the service that only :mod:`core.service.user_api` leads to."""

from dataclasses import dataclass

from core.accounts.access import AccessList
from core.accounts.moderation import Moderation
from core.accounts.styles import StyleBook
from core.feed.feed import Feed
from core.queue.forecasts import Forecasts
from core.service.cancellation import Cancellation
from core.service.clips import ClipReader
from core.service.follow_ups import FollowUps
from core.service.inputs import InputReader
from core.service.operator_api import OperatorApi
from core.service.originals import Originals
from core.service.ownership import Ownership
from core.service.preview import Previewer
from core.service.public_clips import PublicClips
from core.service.submission import Submission
from core.service.user_accounts import UserAccounts
from core.storage.gallery import GalleryQueries
from core.storage.job_queries import JobQueries


@dataclass(frozen=True, slots=True)
class UserServices:
    """The parts of the service that :class:`UserApi` checks the way to."""

    jobs: JobQueries
    gallery: GalleryQueries
    forecasts: Forecasts
    submission: Submission
    cancellation: Cancellation
    follow_ups: FollowUps
    clips: ClipReader
    inputs: InputReader
    previewer: Previewer
    owned: Ownership
    accounts: UserAccounts
    moderation: Moderation
    access: AccessList
    styles: StyleBook
    operators: OperatorApi
    public: PublicClips
    originals: Originals
    feed: Feed
