"""What each node can read, and the line of each pool.

A node says which schema and which format of requests it knows; a job says its format, so that a
node of before leaves it in line.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
oldest = 10

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add columns and an index; nothing that is there changes."""
    for name in ("schema_known", "format_known"):
        op.add_column("node", sa.Column(name, NUMBER, nullable=False, server_default="0"))
    op.add_column("job", sa.Column("format", NUMBER, nullable=False, server_default="0"))
    line = ("pool", "rank", "seq", "estimate_ms", "spread_ms")
    waiting = sa.text("rank IS NOT NULL")
    op.create_index("job_line_of", "job", line, sqlite_where=waiting, postgresql_where=waiting)
