"""Which clips their makers marked as favourites."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
oldest = 10

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "star",
        sa.Column("job_id", TEXT, sa.ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("at_ms", NUMBER, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
