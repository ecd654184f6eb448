"""All that a front is given: calls with a caller in them, and facts about nobody."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from core.accounts.front_state import FrontState
from core.accounts.notices import Notices
from core.accounts.program_tokens import KnownPrograms, Program, TokenScope
from core.domain.clip_preview import ClipPreview
from core.domain.jobs import Job, ReplyTo
from core.domain.progress import Progress
from core.domain.prompt_preview import PromptPreview
from core.interfaces.delivery import Delivery
from core.interfaces.directory import PeopleDirectory
from core.interfaces.terms import OwnTerm, Term
from core.runtime.clock import Clock, now_ms
from core.service.front_board import ConnectionState
from core.service.readiness import Readiness
from core.service.user_api import UserApi
from core.service.views import ServiceHealth
from core.settings import Settings
from core.storage.records import AccountNotice, AuditEntry

__all__ = [
    "AccountNotice",
    "AuditEntry",
    "ConnectionState",
    "FrontServices",
    "FrontState",
    "KnownPrograms",
    "Notices",
    "Program",
    "TokenScope",
]


@dataclass(frozen=True, slots=True)
class FrontServices:
    """The service as Discord, Telegram and the Studio see it; no part of core is reached by it."""

    settings: Settings
    users: UserApi
    state: FrontState  # what a front keeps under names of its own
    notices: Notices  # the private words that people are owed
    programs: KnownPrograms  # by the tokens that operators gave
    executor: str  # what makes the clips; "draft" is the animatic one
    device: str  # the key of the hardware, :mod:`core.duration.hardware`
    family: str  # the name of the model that makes the clips
    guided: bool  # a preset runs with guidance here, so a negative prompt acts
    register: Callable[[Delivery], None]  # before the front takes requests
    unregister: Callable[[str], None]  # by platform, when the front ends; owed results stay owed
    register_directory: Callable[[PeopleDirectory], None]  # who knows a platform's people
    redirect: Callable[[str, ReplyTo], Awaitable[None]]  # where the result of a job goes
    move_place: Callable[[str, str], Awaitable[None]]  # its rules and limits follow a place
    latest_progress: Callable[[Job], Progress | None]  # takes the record: its holder may see it
    latest_preview: Callable[[Job], ClipPreview | None]  # of what is made now; as above
    latest_prompt: Callable[[Job], PromptPreview | None]  # that a model wrote for it; as above
    version: Callable[[], int]  # changes with every write of the database
    health: Callable[[], Awaitable[ServiceHealth]]
    connected: Callable[[str, ConnectionState], None]  # by platform: whether a front reaches it
    readiness: Callable[[], Awaitable[Readiness]]  # which parts of the service work
    figures: Callable[[], Awaitable[bytes]]  # in FIGURES_TYPE, without names
    clock: Clock = now_ms  # of the times in records of jobs, epoch milliseconds
    # that the front runs under; asked before anything leaves for a platform
    term: Term = field(default_factory=OwnTerm)
