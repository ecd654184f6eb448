"""Named styles, and what places choose for people who choose nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
oldest = 10

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add two tables."""
    for table, key in (("style", "name"), ("option_default", "channel")):
        op.create_table(
            table,
            sa.Column("place", TEXT, primary_key=True),
            sa.Column(key, TEXT, primary_key=True),
            sa.Column("body", TEXT, nullable=False),
            sa.Column("updated_at_ms", NUMBER, nullable=False),
            sqlite_strict=True,
            sqlite_with_rowid=False,
        )
