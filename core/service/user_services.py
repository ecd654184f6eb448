"""The parts of the service that only :mod:`core.service.user_api` leads to."""

from dataclasses import dataclass

from core.accounts.linked_accounts import LinkedAccounts
from core.accounts.moderation import Moderation
from core.accounts.quotas import Quotas
from core.queue.forecasts import Forecasts
from core.service.cancellation import Cancellation
from core.service.follow_ups import FollowUps
from core.service.operator_api import OperatorApi
from core.service.preview import Previewer
from core.service.submission import Submission
from core.storage.job_queries import JobQueries


@dataclass(frozen=True, slots=True)
class UserServices:
    """The parts of the service that :class:`UserApi` checks the way to."""

    jobs: JobQueries
    forecasts: Forecasts
    quotas: Quotas
    submission: Submission
    cancellation: Cancellation
    follow_ups: FollowUps
    previewer: Previewer
    linked: LinkedAccounts
    moderation: Moderation
    operators: OperatorApi
