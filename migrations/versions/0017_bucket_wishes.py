"""What workers without a key want signed for the bucket, where no message comes through."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
oldest = 10

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "bucket_wish",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("asked_at_ms", NUMBER, nullable=False),
        sa.Column("answer", TEXT),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
