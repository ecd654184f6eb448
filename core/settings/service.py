"""How the service runs jobs: quota, queue, worker, deliveries, and what is kept."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from core.runtime.paths import Place
from core.settings.area import Area, ReadFrom, parts
from core.settings.kinds import Accounts, Allowed, Minutes

YEAR_HOURS = 8784
MOST_MINUTES = 1_000_000  # as good as no limit: nearly two years


class QuotaSettings(Area):
    """What people may use of the device."""

    prefix = "CLAPPER_QUOTA_"

    # GPU-minutes a requester may use in a window
    minutes: float = Field(default=20.0, ge=0, le=MOST_MINUTES)
    window_hours: float = Field(default=24.0, ge=0.01, le=YEAR_HOURS)  # begins with the first use
    # GPU-minutes of everybody in one place on a day; empty: no such limit
    place_minutes: Annotated[float | None, ReadFrom("CLAPPER_PLACE_MINUTES")] = Field(
        default=None, ge=0, le=MOST_MINUTES
    )
    roles: Minutes = ""  # GPU-minutes instead of the usual, by role, e.g. "role:42=60"
    places: Minutes = ""  # of everybody there on a day, e.g. "discord:77=300, telegram:-100=60"


class QueueSettings(Area):
    """Who waits, how long and how often a job is tried."""

    shares: str = ""  # of the device, percent, e.g. "operators=200, role:42=150, studio=50"
    max_queued: int = Field(default=5, ge=1, le=100_000)  # waiting jobs a requester
    max_running: int = Field(default=1, ge=1, le=1000)  # running jobs a requester
    max_attempts: int = Field(default=3, ge=1, le=1000)
    # a job waiting longer expires
    wait_limit_hours: float = Field(default=24, ge=0.01, le=YEAR_HOURS)
    # a running job without heartbeat for so long is lost
    lease_s: float = Field(default=30, ge=1, le=3600)
    # a node that is gone holds a bot for so long; of several nodes at one database
    leader_s: float = Field(default=10, ge=0.5, le=300)


class WorkerSettings(Area):
    """The times of a running job."""

    heartbeat_s: float = Field(default=5, ge=0.05, le=1800)
    job_timeout_s: float = Field(default=1800, ge=1, le=86_400)  # one attempt
    encode_timeout_s: float = Field(default=300, ge=1, le=86_400)  # encoding and storing one clip
    # a running job may still finish so long after a stop; the process ends at most 4 s later,
    # within the 10 s that Docker waits by default
    shutdown_grace_s: float = Field(default=5, ge=0, le=3600)
    # pages show what a clip is becoming while it is made
    previews: Annotated[bool, ReadFrom("CLAPPER_PREVIEWS")] = True
    supervise: bool = True  # `clapper serve` starts its service anew after a crash
    restarts_an_hour: int = Field(default=12, ge=0, le=1000)  # after more, it gives up


class DeliverySettings(Area):
    """How results and progress reach people."""

    prefix = "CLAPPER_DELIVERY_"

    # about half a day with the waits between them
    attempts: int = Field(default=60, ge=1, le=10_000)
    timeout_s: float = Field(default=300, ge=1, le=86_400)  # one attempt, upload included
    # per job; platforms may show it less often
    progress_every_s: Annotated[float, ReadFrom("CLAPPER_PROGRESS_EVERY_S")] = Field(
        default=1.0, ge=0.01, le=60
    )


class RetentionSettings(Area):
    """What is kept, for how long, and how much room is left for it."""

    # clips and inputs
    days: Annotated[float, ReadFrom("CLAPPER_RETENTION_DAYS")] = Field(
        default=14, ge=0.01, le=36_500
    )
    # of what operators did
    audit_days: Annotated[float, ReadFrom("CLAPPER_AUDIT_DAYS")] = Field(
        default=400, ge=0.01, le=36_500
    )
    min_free_megabytes: float = Field(default=500, ge=0, le=1e9)  # intake closes below
    prompt_in_metadata: bool = False  # write the prompt into the clip's provenance


class LogSettings(Area):
    """What is written into the log, how and where."""

    prefix = "CLAPPER_LOG_"

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"  # json: one object a line, for machines
    file: Place | None = None  # besides standard error; empty: none
    file_megabytes: float = Field(default=10, ge=0.01, le=10_000)  # decimal; then a new one begins
    files: int = Field(default=5, ge=1, le=1000)  # older ones that are kept


class PeopleSettings(Area):
    """Who runs this service, and who may use its bots."""

    operators: Accounts = ""  # requester keys, comma separated, e.g. "discord:123,telegram:456"

    # who may use the bots beside operators, see core.domain.access
    allowed: Allowed = "own"

    def operator_keys(self) -> frozenset[str]:
        """Return the requester keys of the operators."""
        return parts(self.operators)


class MetricsSettings(Area):
    """Who may read the metrics."""

    prefix = "CLAPPER_METRICS_"

    token: SecretStr | None = Field(default=None, min_length=16)  # asked for by /metrics
