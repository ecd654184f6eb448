"""Tokens of programs: what they may do, by the digest of the token alone."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
oldest = 10

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "program_token",
        sa.Column("prefix", TEXT, primary_key=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False, unique=True),
        sa.Column("scopes", TEXT, nullable=False),
        sa.Column("limit_ms", NUMBER),
        sa.Column("webhook", TEXT, nullable=False),
        sa.Column("webhook_secret", TEXT, nullable=False),
        sa.Column("created_at_ms", NUMBER, nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("expires_at_ms", NUMBER),
        sa.Column("revoked_at_ms", NUMBER),
        sa.Column("used_at_ms", NUMBER),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
