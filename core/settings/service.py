"""How the service runs jobs: quota, queue, worker, deliveries, and what is kept."""

from typing import Annotated

from pydantic import Field, SecretStr

from core.settings.area import Area, ReadFrom, parts


class QuotaSettings(Area):
    """What people may use of the device."""

    prefix = "CLAPPER_QUOTA_"

    minutes: float = Field(default=20.0, ge=0)  # GPU-minutes a requester may use in a window
    window_hours: float = Field(default=24.0, gt=0)  # begins with the first use
    # GPU-minutes of everybody in one place on a day; empty: no such limit
    place_minutes: Annotated[float | None, ReadFrom("CLAPPER_PLACE_MINUTES")] = Field(
        default=None, ge=0, allow_inf_nan=False
    )


class QueueSettings(Area):
    """Who waits, how long and how often a job is tried."""

    shares: str = ""  # of the device, percent, e.g. "operators=200, role:42=150, studio=50"
    max_queued: int = Field(default=5, ge=1)  # waiting jobs a requester
    max_running: int = Field(default=1, ge=1)  # running jobs a requester
    max_attempts: int = Field(default=3, ge=1)
    wait_limit_hours: float = Field(default=24, gt=0)  # a job waiting longer expires
    lease_s: float = Field(default=30, gt=1)  # a running job without heartbeat for so long is lost


class WorkerSettings(Area):
    """The times of a running job."""

    heartbeat_s: float = Field(default=5, gt=0)
    job_timeout_s: float = Field(default=1800, gt=0)  # one attempt
    encode_timeout_s: float = Field(default=300, gt=0)  # encoding and storing one clip
    # a running job may still finish so long after a stop; the process ends at most 4 s later,
    # within the 10 s that Docker waits by default
    shutdown_grace_s: float = Field(default=5, ge=0)
    supervise: bool = True  # `clapper serve` starts its service anew after a crash
    restarts_an_hour: int = Field(default=12, ge=0)  # after more, it gives up


class DeliverySettings(Area):
    """How results and progress reach people."""

    prefix = "CLAPPER_DELIVERY_"

    attempts: int = Field(default=60, ge=1)  # about half a day with the waits between them
    timeout_s: float = Field(default=300, gt=0)  # one attempt, upload included
    # per job; platforms may show it less often
    progress_every_s: Annotated[float, ReadFrom("CLAPPER_PROGRESS_EVERY_S")] = Field(
        default=1.0, gt=0
    )


class RetentionSettings(Area):
    """What is kept, for how long, and how much room is left for it."""

    days: Annotated[float, ReadFrom("CLAPPER_RETENTION_DAYS")] = Field(
        default=14, gt=0
    )  # clips and inputs
    min_free_megabytes: float = Field(default=500, ge=0)  # intake closes below
    prompt_in_metadata: bool = False  # write the prompt into the clip's provenance


class PeopleSettings(Area):
    """Who runs this service."""

    operators: str = ""  # requester keys, comma separated, e.g. "discord:123,telegram:456"

    def operator_keys(self) -> frozenset[str]:
        """Return the requester keys of the operators."""
        return parts(self.operators)


class MetricsSettings(Area):
    """Who may read the metrics."""

    prefix = "CLAPPER_METRICS_"

    token: SecretStr | None = Field(default=None, min_length=16)  # asked for by /metrics
