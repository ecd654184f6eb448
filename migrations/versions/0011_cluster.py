"""What several machines need: who lives, who holds what, and which machine a job is on.

One machine does not read any of it: every column is NULL or has the value that it has there.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
oldest = 10

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_JSON = {"sqlite": "json_valid(progress)", "postgresql": "progress::json IS NOT NULL"}


def upgrade() -> None:
    """Add tables and columns; nothing that is there changes."""
    op.create_table(
        "node",
        sa.Column("id", TEXT, primary_key=True),  # a new one at each start of the process
        sa.Column("name", TEXT, nullable=False),  # shown to people
        sa.Column("role", TEXT, nullable=False),
        sa.Column("pool", TEXT, nullable=False),
        sa.Column("device", TEXT, nullable=False),
        sa.Column("profile", TEXT, nullable=False),
        sa.Column("vram_bytes", NUMBER, nullable=False),
        sa.Column("pin", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("resident", TEXT, nullable=False),  # the model files in its memory
        sa.Column("job_id", TEXT),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("beat_at_ms", NUMBER, nullable=False),
        sa.Column("started_at_ms", NUMBER, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "term",
        sa.Column("name", TEXT, primary_key=True),  # what one node at a time may do
        sa.Column("node", TEXT, nullable=False),
        sa.Column("token", TEXT, nullable=False),
        sa.Column("until_ms", NUMBER, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    _extend_jobs()
    op.add_column("outbox", sa.Column("owner", TEXT))
    op.add_column("outbox", sa.Column("token", TEXT))
    op.add_column("outbox", sa.Column("lease_until_ms", NUMBER))
    for table in ("run", "fit"):
        op.add_column(table, sa.Column("pool", TEXT, nullable=False, server_default="default"))


def _extend_jobs() -> None:
    op.add_column("job", sa.Column("pool", TEXT, nullable=False, server_default="default"))
    op.add_column("job", sa.Column("node_id", TEXT))  # of its newest attempt
    op.add_column("job", sa.Column("overtaken", NUMBER, nullable=False, server_default="0"))
    op.add_column("job", sa.Column("overtaken_since_ms", NUMBER))
    dialect = op.get_bind().dialect.name
    kind = {"sqlite": "TEXT", "postgresql": 'TEXT COLLATE "C"'}[dialect]
    check = f"CHECK (progress IS NULL OR {_JSON[dialect]})"
    op.execute(f"ALTER TABLE job ADD COLUMN progress {kind} {check}")
    op.add_column("job", sa.Column("progress_at_ms", NUMBER))
