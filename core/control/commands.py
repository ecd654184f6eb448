"""The commands of the control socket, said once: what is asked, and what each line answers."""

from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal

from pydantic import Field

from core.accounts.program_tokens import TokenScope
from core.control.fields import EXACT, FilePath, JobId, Name, OptionValue
from core.control.people_commands import ForgetPerson, GrantQuota, ShowQuota
from core.control.reports import (
    Contradiction,
    FeedChannelReport,
    FeedPostReport,
    ForgottenReport,
    GenerationEvent,
    JobReport,
    LogLine,
    MachineReport,
    ServiceStatus,
    StylesReport,
    TokenReport,
)
from core.domain.feed import ChannelKind
from core.domain.modes import Mode
from core.domain.quota import QuotaView
from core.domain.style_file import MOST_BYTES
from core.queue.intake import Intake
from core.storage.dead_letters import DeadDelivery


@dataclass(frozen=True, slots=True)
class ListJobs:
    """Everything live, and the newest jobs of a requester."""

    __pydantic_config__ = EXACT
    requester: Name
    limit: Annotated[int, Field(ge=1, le=500)] = 20


@dataclass(frozen=True, slots=True)
class ShowJob:
    """One job."""

    __pydantic_config__ = EXACT
    job_id: JobId


@dataclass(frozen=True, slots=True)
class CancelJob:
    """Stop anybody's job."""

    __pydantic_config__ = EXACT
    job_id: JobId


@dataclass(frozen=True, slots=True)
class SetIntake:
    """Open, pause or drain."""

    __pydantic_config__ = EXACT
    state: Intake


@dataclass(frozen=True, slots=True)
class ReadStatus:
    """How the service is."""

    __pydantic_config__ = EXACT


@dataclass(frozen=True, slots=True)
class ListDeadLetters:
    """Deliveries that were given up, the newest first."""

    __pydantic_config__ = EXACT
    limit: Annotated[int, Field(ge=1, le=500)] = 50


@dataclass(frozen=True, slots=True)
class ReviveDeliveries:
    """Try deliveries again that were given up: one, or all."""

    __pydantic_config__ = EXACT
    job_id: JobId | None = None  # None: all


@dataclass(frozen=True, slots=True)
class ReadLogs:
    """The newest lines of the log, and those that follow."""

    __pydantic_config__ = EXACT
    lines: Annotated[int, Field(ge=0, le=10_000)] = 100
    follow: bool = False


@dataclass(frozen=True, slots=True)
class CheckInvariants:
    """What contradicts itself in the database."""

    __pydantic_config__ = EXACT


@dataclass(frozen=True, slots=True)
class GenerateClip:
    """A clip for who asks, from files on this machine to a file on this machine."""

    __pydantic_config__ = EXACT
    mode: Mode
    key: Annotated[str, Field(min_length=16, max_length=64)]  # the same key is the same job
    out: FilePath  # absolute
    options: Annotated[dict[str, OptionValue], Field(max_length=50)]
    files: Annotated[dict[str, FilePath], Field(max_length=20)]  # absolute, by role
    force: bool = False


@dataclass(frozen=True, slots=True)
class AdmitMachine:
    """A new token for a machine behind the gate; one that it had ends."""

    __pydantic_config__ = EXACT
    name: Name


@dataclass(frozen=True, slots=True)
class RevokeMachine:
    """No token of a machine works any more."""

    __pydantic_config__ = EXACT
    name: Name


@dataclass(frozen=True, slots=True)
class ReadStyles:
    """The styles and defaults of a place; ``*`` is all places."""

    __pydantic_config__ = EXACT
    place: Name


@dataclass(frozen=True, slots=True)
class KeepStyles:
    """Styles and defaults of a file, for a place."""

    __pydantic_config__ = EXACT
    place: Name
    toml: Annotated[str, Field(max_length=MOST_BYTES)]


@dataclass(frozen=True, slots=True)
class ListFeeds:
    """The channels where clips are published, and where reports are read."""

    __pydantic_config__ = EXACT


@dataclass(frozen=True, slots=True)
class DropFeed:
    """No channel of a kind for a place any more; answers those that are left."""

    __pydantic_config__ = EXACT
    place: Name
    kind: ChannelKind = ChannelKind.FEED


@dataclass(frozen=True, slots=True)
class ListPosts:
    """Posts of all feeds, the newest first."""

    __pydantic_config__ = EXACT
    limit: Annotated[int, Field(ge=1, le=500)] = 50


@dataclass(frozen=True, slots=True)
class TakeDownPost:
    """Remove a post, by its id, its clip's, or ``channel/message``."""

    __pydantic_config__ = EXACT
    post: Name


@dataclass(frozen=True, slots=True)
class IssueToken:
    """A token for a program; minutes of a window and days until it ends, None: the usual, never."""

    __pydantic_config__ = EXACT
    name: Name
    scopes: Annotated[tuple[TokenScope, ...], Field(max_length=len(TokenScope))] = tuple(TokenScope)
    minutes: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] | None = None
    days: Annotated[float, Field(gt=0, le=36_500, allow_inf_nan=False)] | None = None
    webhook: Annotated[str, Field(max_length=2000)] = ""


@dataclass(frozen=True, slots=True)
class ListTokens:
    """The tokens of programs, without a secret."""

    __pydantic_config__ = EXACT


@dataclass(frozen=True, slots=True)
class RevokeToken:
    """A token, by its beginning, or all tokens of a name, work no more."""

    __pydantic_config__ = EXACT
    named: Name


Command = (
    ListJobs
    | ShowJob
    | CancelJob
    | ShowQuota
    | GrantQuota
    | ForgetPerson
    | SetIntake
    | ReadStatus
    | ListDeadLetters
    | ReviveDeliveries
    | ReadLogs
    | CheckInvariants
    | GenerateClip
    | AdmitMachine
    | RevokeMachine
    | ReadStyles
    | KeepStyles
    | ListFeeds
    | DropFeed
    | ListPosts
    | TakeDownPost
    | IssueToken
    | ListTokens
    | RevokeToken
)


@dataclass(frozen=True, slots=True)
class Verb:
    """One row: the record that asks, and the record that each line of the answer is."""

    asks: type[Command]
    answers: type[Any] | UnionType
    lasting: bool = False  # goes on until it is over or who asked goes away


VERBS: dict[str, Verb] = {
    "jobs": Verb(ListJobs, JobReport),
    "job": Verb(ShowJob, JobReport),
    "cancel": Verb(CancelJob, JobReport),
    "quota": Verb(ShowQuota, QuotaView),
    "grant": Verb(GrantQuota, QuotaView),
    "forget": Verb(ForgetPerson, ForgottenReport),
    "intake": Verb(SetIntake, ServiceStatus),
    "status": Verb(ReadStatus, ServiceStatus),
    "dead_letters": Verb(ListDeadLetters, DeadDelivery),
    "revive": Verb(ReviveDeliveries, DeadDelivery),
    "logs": Verb(ReadLogs, LogLine, lasting=True),
    "invariants": Verb(CheckInvariants, Contradiction),
    "admit_machine": Verb(AdmitMachine, MachineReport),
    "revoke_machine": Verb(RevokeMachine, MachineReport),
    "styles": Verb(ReadStyles, StylesReport),
    "keep_styles": Verb(KeepStyles, StylesReport),
    "feeds": Verb(ListFeeds, FeedChannelReport),
    "drop_feed": Verb(DropFeed, FeedChannelReport),
    "posts": Verb(ListPosts, FeedPostReport),
    "take_down": Verb(TakeDownPost, FeedPostReport),
    "issue_token": Verb(IssueToken, TokenReport),
    "tokens": Verb(ListTokens, TokenReport),
    "revoke_token": Verb(RevokeToken, TokenReport),
    "generate": Verb(GenerateClip, GenerationEvent, lasting=True),
}
STOP: Literal["stop"] = "stop"  # sent while a command lasts: end it


def verb_of(command: Command) -> str:
    """Return the name of the row of ``command``."""
    return next(name for name, verb in VERBS.items() if verb.asks is type(command))
