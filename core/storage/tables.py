"""The migrated schema as SQLAlchemy tables; a test compares the two.

Other modules of this package add their own tables to :data:`METADATA`.
"""

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Integer, Text

METADATA = sa.MetaData()

job = sa.Table(
    "job",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("user_key", Text, nullable=False),
    Column("idem_key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("reply_platform", Text, nullable=False),
    Column("reply_address", Text, nullable=False),
    Column("estimate_ms", Integer, nullable=False),
    Column("spread_ms", Integer, nullable=False),
    Column("cost", Integer, nullable=False),
    Column("tag", Integer, nullable=False),
    Column("rank", Integer),
    Column("above_limit", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("token", Text),
    Column("lease_until_ms", Integer),
    Column("created_at_ms", Integer, nullable=False),
    Column("started_at_ms", Integer),
    Column("finished_at_ms", Integer),
    Column("charged_ms", Integer),
    Column("failure_code", Text),
    Column("failure_data", Text),
    Column("share_key", Text, nullable=False, server_default=""),
    Column("place", Text, nullable=False, server_default=""),
    Column("losses", Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("user_key", "idem_key"),
)
WAITING = job.c.rank.is_not(None)  # without parameters, or SQLite cannot use the partial indexes
RUNNING = job.c.token.is_not(None)
WAITING_STATES = ("held", "queued")

sa.Index(
    "job_line", job.c.rank, job.c.seq, job.c.estimate_ms, job.c.spread_ms, sqlite_where=WAITING
)
sa.Index("job_waiting_of", job.c.user_key, job.c.state, job.c.seq, sqlite_where=WAITING)
sa.Index("job_share_of", job.c.share_key, job.c.state, job.c.seq, sqlite_where=WAITING)
sa.Index("job_waiting_since", job.c.created_at_ms, sqlite_where=WAITING)
sa.Index("job_running", job.c.started_at_ms, sqlite_where=RUNNING)
sa.Index("job_of", job.c.user_key, job.c.created_at_ms)
sa.Index("job_finished", job.c.finished_at_ms, sqlite_where=job.c.finished_at_ms.is_not(None))

flow = sa.Table(
    "flow",
    METADATA,
    Column("user_key", Text, primary_key=True),
    Column("finish", Integer, nullable=False),
    Column("since_ms", Integer, nullable=False),
    Column("weight", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("active", Integer, nullable=False),
    sa.Index("flow_finish", "finish"),
)

sched = sa.Table(
    "sched",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("vtime", Integer, nullable=False),
)

account = sa.Table(
    "account",
    METADATA,
    Column("limit_name", Text, primary_key=True),
    Column("account_key", Text, primary_key=True),
    Column("period", Integer, primary_key=True),
    Column("began_at_ms", Integer),
    Column("granted", Integer, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("used", Integer, nullable=False),
)

ledger = sa.Table(
    "ledger",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("job_id", Text),
    Column("kind", Text, nullable=False),
    Column("limit_name", Text, nullable=False),
    Column("account_key", Text, nullable=False),
    Column("period", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("at_ms", Integer, nullable=False),
    sa.ForeignKeyConstraint(
        ["limit_name", "account_key", "period"],
        ["account.limit_name", "account.account_key", "account.period"],
    ),
    sa.Index("ledger_account", "limit_name", "account_key", "period"),
)
RESERVE = sa.text("kind = 'reserve'")  # literals, or SQLite does not see that the indexes fit
SETTLEMENT = sa.text("kind IN ('commit', 'refund')")
sa.Index("ledger_reserve", ledger.c.job_id, ledger.c.limit_name, unique=True, sqlite_where=RESERVE)
sa.Index(
    "ledger_settlement", ledger.c.job_id, ledger.c.limit_name, unique=True, sqlite_where=SETTLEMENT
)

artifact = sa.Table(
    "artifact",
    METADATA,
    Column("job_id", Text, ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    Column("path", Text, nullable=False),
    Column("poster", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("fps", sa.REAL, nullable=False),
    Column("has_sound", Integer, nullable=False),
)

outbox = sa.Table(
    "outbox",
    METADATA,
    Column("job_id", Text, ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    Column("dest", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at_ms", Integer),
    Column("began_at_ms", Integer),
    Column("ambiguous", Integer, nullable=False),
    Column("sent_id", Text),
    Column("error", Text),
)
PENDING = outbox.c.next_at_ms.is_not(None)
SENDING = sa.text("state = 'sending'")
sa.Index("outbox_due", outbox.c.next_at_ms, outbox.c.dest, sqlite_where=PENDING)
sa.Index("outbox_sending", outbox.c.state, sqlite_where=SENDING)

job_event = sa.Table(
    "job_event",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("job_id", Text, ForeignKey("job.id", ondelete="CASCADE"), nullable=False),
    Column("at_ms", Integer, nullable=False),
    Column("what", Text, nullable=False),
    Column("detail", Text, nullable=False),
    sa.Index("job_event_of", "job_id"),
)

job_media = sa.Table(
    "job_media",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("job_id", Text, ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    sa.Index("job_media_of", "job_id"),
)

setting = sa.Table(
    "setting",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
