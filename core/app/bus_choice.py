"""What connects this process with others at the same rows, and who of them may do what."""

from core.bus.bus import Bus, NoBus, NotificationBus
from core.bus.cluster_terms import ClusterTerms
from core.bus.messages import Topic
from core.bus.row_version import RowVersion, SharedRowVersion
from core.domain.nodes import NodeRole
from core.interfaces.terms import OwnTerms, Terms
from core.settings import Settings
from core.storage.addresses import is_postgres, postgres_address
from core.storage.database import Database
from core.storage.notifications import Notifications
from core.storage.owed_rows import LEASE_MS

# what others make is shown by fronts, which sign for whoever has no key of the bucket
OF_WORKERS = (Topic.WORK, Topic.CANCEL, Topic.LINKED)


def bus_of(settings: Settings, database: Database, role: NodeRole) -> Bus:
    """Return the bus of the rows: a server of PostgreSQL carries it, a file has one process."""
    if not is_postgres(settings.database):
        return NoBus()
    address = postgres_address(settings.database, insecure=settings.database_insecure)
    topics = (*Topic,) if role.serves else OF_WORKERS
    return NotificationBus(Notifications(address), database, topics)


def terms_of(settings: Settings, database: Database, node: str) -> Terms:
    """Return the terms of ``node``, an id of this process: in a file of rows all are its own."""
    if not is_postgres(settings.database):
        return OwnTerms()
    return ClusterTerms(database, node, settings.queue.leader_s)


def row_version_of(settings: Settings, database: Database) -> RowVersion:
    """Return what tells whether rows changed, as the bus hears of it too."""
    return (SharedRowVersion if is_postgres(settings.database) else RowVersion)(database)


def delivery_lease_ms(settings: Settings) -> int:
    """Return how long nobody else takes a delivery of ours; 0 where nobody else could."""
    return LEASE_MS if is_postgres(settings.database) else 0
