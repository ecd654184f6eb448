"""Machines that come through the gate: a token each, of which only the digest is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
oldest = 10

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "gate_node",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("digest", TEXT, nullable=False, unique=True),
        sa.Column("created_at_ms", NUMBER, nullable=False),
        sa.Column("revoked_at_ms", NUMBER),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
