"""Clips that their makers publish in channels of operators, and what is reported of them.

A post outlives its job, so that it can be taken down for as long as it is shown.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
oldest = 10

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add three tables."""
    op.create_table(
        "feed_channel",
        sa.Column("place", TEXT, primary_key=True),
        sa.Column("kind", TEXT, primary_key=True),
        sa.Column("platform", TEXT, primary_key=True),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("updated_at_ms", NUMBER, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "feed_post",
        sa.Column("id", TEXT, primary_key=True),
        *(sa.Column(name, TEXT, nullable=False) for name in ("job_id", "target_key", "maker_key")),
        *(sa.Column(name, TEXT, nullable=False) for name in ("source", "dest", "body", "state")),
        sa.Column("nonce", TEXT, nullable=False),
        sa.Column("attempts", NUMBER, nullable=False),
        sa.Column("next_at_ms", NUMBER),
        sa.Column("began_at_ms", NUMBER),
        sa.Column("ambiguous", NUMBER, nullable=False),
        *(sa.Column(name, TEXT) for name in ("sent_id", "error", "owner", "token")),
        sa.Column("lease_until_ms", NUMBER),
        sa.Column("created_at_ms", NUMBER, nullable=False),
        sa.Column("withdrawn_by", TEXT),
        sa.Column("case_state", TEXT, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    _index("feed_post_due", "next_at_ms", "dest", where="next_at_ms IS NOT NULL")
    _index("feed_post_sending", "state", where="state = 'sending'")
    _index("feed_post_once", "job_id", "target_key", where="state <> 'removed'", unique=True)
    op.create_index("feed_post_of_job", "feed_post", ["job_id"])
    op.create_index("feed_post_of", "feed_post", ["maker_key", "created_at_ms"])
    op.create_table(
        "feed_report",
        sa.Column("post_id", TEXT, sa.ForeignKey("feed_post.id", ondelete="CASCADE")),
        sa.Column("reporter_key", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("at_ms", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("post_id", "reporter_key"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("feed_report_of", "feed_report", ["reporter_key", "at_ms"])


def _index(name: str, *columns: str, where: str, unique: bool = False) -> None:
    some = sa.text(where)
    op.create_index(
        name, "feed_post", list(columns), unique=unique, sqlite_where=some, postgresql_where=some
    )
