"""Where operators look at the service, and whether it tells them of trouble."""

from typing import Annotated

from pydantic import Field

from core.settings.area import Area, ReadFrom
from core.settings.kinds import ListeningHost


class HealthSettings(Area):
    """The port of ``/livez``, ``/readyz`` and ``/metrics``; without a port there is none."""

    prefix = "CLAPPER_HEALTH_"

    port: int | None = Field(default=None, ge=0, le=65535)  # empty: none; 0: any free port
    host: ListeningHost = "127.0.0.1"  # loopback
    # minutes; not ready while a job waits longer (empty: however long), or a result is owed longer
    queue_minutes: float | None = Field(default=None, ge=0.1, le=1e6)
    delivery_minutes: float = Field(default=60, ge=0.1, le=1e6)


class AlertSettings(Area):
    """Telling operators of trouble in their chat."""

    enabled: Annotated[bool, ReadFrom("CLAPPER_ALERTS")] = True
    # how often the parent process started the service anew; it sets this
    restarts: Annotated[int, ReadFrom("CLAPPER_RESTARTS")] = Field(default=0, ge=0, le=1e6)
