"""The migrated schema as SQLAlchemy tables; a test compares the two.

Other modules of this package add their own tables to :data:`METADATA`.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Text

METADATA = sa.MetaData()
# PostgreSQL's own INTEGER has 32 bits, too few for epoch milliseconds, and its REAL six digits;
# SQLite numbers only what is called INTEGER by itself.
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL = sa.Double[float]().with_variant(sa.REAL(), "sqlite")


def index_some(
    name: str,
    *columns: sa.Column[Any],
    where: sa.ColumnElement[bool] | sa.TextClause,
    unique: bool = False,
) -> None:
    """Index the rows that are ``where``, in every dialect: each ignores what is said to others.

    ``where`` has no parameters, or SQLite does not see that the index fits.
    """
    sa.Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


job = sa.Table(
    "job",
    METADATA,
    Column("seq", INTEGER, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("user_key", Text, nullable=False),
    Column("idem_key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("reply_platform", Text, nullable=False),
    Column("reply_address", Text, nullable=False),
    Column("estimate_ms", INTEGER, nullable=False),
    Column("spread_ms", INTEGER, nullable=False),
    Column("cost", INTEGER, nullable=False),
    Column("tag", INTEGER, nullable=False),
    Column("rank", INTEGER),
    Column("above_limit", INTEGER, nullable=False),
    Column("attempt", INTEGER, nullable=False),
    Column("token", Text),
    Column("lease_until_ms", INTEGER),
    Column("created_at_ms", INTEGER, nullable=False),
    Column("started_at_ms", INTEGER),
    Column("finished_at_ms", INTEGER),
    Column("charged_ms", INTEGER),
    Column("failure_code", Text),
    Column("failure_data", Text),
    Column("share_key", Text, nullable=False, server_default=""),
    Column("place", Text, nullable=False, server_default=""),
    Column("fingerprint", Text, nullable=False, server_default=""),
    Column("losses", INTEGER, nullable=False, server_default="0"),
    Column("pool", Text, nullable=False, server_default="default"),
    Column("node_id", Text),
    Column("overtaken", INTEGER, nullable=False, server_default="0"),
    Column("overtaken_since_ms", INTEGER),
    Column("progress", Text),
    Column("progress_at_ms", INTEGER),
    Column("format", INTEGER, nullable=False, server_default="0"),
    Column("parent_id", Text),
    Column("parent_action", Text),
    Column("group_id", Text),
    Column("group_number", INTEGER),
    Column("group_size", INTEGER),
    sa.UniqueConstraint("user_key", "idem_key"),
)
WAITING = job.c.rank.is_not(None)  # without parameters, or SQLite cannot use the partial indexes
RUNNING = job.c.token.is_not(None)
WAITING_STATES = ("held", "queued")

index_some("job_line", job.c.rank, job.c.seq, job.c.estimate_ms, job.c.spread_ms, where=WAITING)
index_some(
    "job_line_of",
    job.c.pool,
    job.c.rank,
    job.c.seq,
    job.c.estimate_ms,
    job.c.spread_ms,
    where=WAITING,
)
index_some("job_waiting_of", job.c.user_key, job.c.state, job.c.seq, where=WAITING)
index_some("job_share_of", job.c.share_key, job.c.state, job.c.seq, where=WAITING)
index_some("job_waiting_since", job.c.created_at_ms, where=WAITING)
index_some("job_running", job.c.started_at_ms, where=RUNNING)
sa.Index("job_of", job.c.user_key)
index_some("job_parent", job.c.parent_id, where=job.c.parent_id.is_not(None))
index_some("job_group", job.c.group_id, where=job.c.group_id.is_not(None))
index_some("job_finished", job.c.finished_at_ms, where=job.c.finished_at_ms.is_not(None))

flow = sa.Table(
    "flow",
    METADATA,
    Column("user_key", Text, primary_key=True),
    Column("finish", INTEGER, nullable=False),
    Column("since_ms", INTEGER, nullable=False),
    Column("weight", INTEGER, nullable=False),
    Column("held", INTEGER, nullable=False),
    Column("active", INTEGER, nullable=False),
    sa.Index("flow_finish", "finish"),
)

sched = sa.Table(
    "sched",
    METADATA,
    Column("id", INTEGER, primary_key=True, autoincrement=False),
    Column("vtime", INTEGER, nullable=False),
)

account = sa.Table(
    "account",
    METADATA,
    Column("limit_name", Text, primary_key=True),
    Column("account_key", Text, primary_key=True),
    Column("period", INTEGER, primary_key=True),
    Column("began_at_ms", INTEGER),
    Column("granted", INTEGER, nullable=False),
    Column("reserved", INTEGER, nullable=False),
    Column("used", INTEGER, nullable=False),
)

ledger = sa.Table(
    "ledger",
    METADATA,
    Column("id", INTEGER, primary_key=True),
    Column("job_id", Text),
    Column("kind", Text, nullable=False),
    Column("limit_name", Text, nullable=False),
    Column("account_key", Text, nullable=False),
    Column("period", INTEGER, nullable=False),
    Column("unit", Text, nullable=False),
    Column("amount", INTEGER, nullable=False),
    Column("at_ms", INTEGER, nullable=False),
    sa.ForeignKeyConstraint(
        ["limit_name", "account_key", "period"],
        ["account.limit_name", "account.account_key", "account.period"],
    ),
    sa.Index("ledger_account", "limit_name", "account_key", "period"),
)
RESERVE = sa.text("kind = 'reserve'")  # literals, or SQLite does not see that the indexes fit
SETTLEMENT = sa.text("kind IN ('commit', 'refund')")
OPENING = sa.text("kind = 'opening'")
index_some("ledger_reserve", ledger.c.job_id, ledger.c.limit_name, unique=True, where=RESERVE)
index_some("ledger_settlement", ledger.c.job_id, ledger.c.limit_name, unique=True, where=SETTLEMENT)

index_some(
    "ledger_opening",
    ledger.c.limit_name,
    ledger.c.account_key,
    ledger.c.period,
    unique=True,
    where=OPENING,
)

artifact = sa.Table(
    "artifact",
    METADATA,
    Column("job_id", Text, ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    Column("path", Text, nullable=False),
    Column("poster", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", INTEGER, nullable=False),
    Column("width", INTEGER, nullable=False),
    Column("height", INTEGER, nullable=False),
    Column("frames", INTEGER, nullable=False),
    Column("fps", REAL, nullable=False),
    Column("has_sound", INTEGER, nullable=False),
    Column("prompt_used", Text, nullable=False, server_default=""),
    sa.Index("artifact_path", "path"),
)

outbox = sa.Table(
    "outbox",
    METADATA,
    Column("job_id", Text, ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    Column("dest", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("attempts", INTEGER, nullable=False),
    Column("next_at_ms", INTEGER),
    Column("began_at_ms", INTEGER),
    Column("ambiguous", INTEGER, nullable=False),
    Column("sent_id", Text),
    Column("error", Text),
    Column("owner", Text),
    Column("token", Text),
    Column("lease_until_ms", INTEGER),
)
PENDING = outbox.c.next_at_ms.is_not(None)
SENDING = sa.text("state = 'sending'")
index_some("outbox_due", outbox.c.next_at_ms, outbox.c.dest, where=PENDING)
index_some("outbox_sending", outbox.c.state, where=SENDING)

job_event = sa.Table(
    "job_event",
    METADATA,
    Column("id", INTEGER, primary_key=True),
    Column("job_id", Text, ForeignKey("job.id", ondelete="CASCADE"), nullable=False),
    Column("at_ms", INTEGER, nullable=False),
    Column("what", Text, nullable=False),
    Column("detail", Text, nullable=False),
    sa.Index("job_event_of", "job_id"),
)

shown_clip = sa.Table(
    "shown_clip",
    METADATA,
    Column("job_id", Text, ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    Column("post", Text, primary_key=True),
    Column("place", Text, nullable=False),
    Column("link", Text, nullable=False),
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
