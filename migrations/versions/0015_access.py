"""Who may use the bots: what operators decided, and who asks them.

A row is a person, a server, a chat or a role, by the one way to write it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
oldest = 10

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "access",
        sa.Column("entry", TEXT, primary_key=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("place", TEXT, nullable=False),
        sa.Column("at_ms", NUMBER, nullable=False),
        sa.Column("decided_by", TEXT, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
