"""What a clip was made from, which drafts were asked for together, and where clips are shown."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
oldest = 10

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add columns that may be empty, and a table; nothing that is there changes."""
    for name in ("parent_id", "parent_action", "group_id"):
        op.add_column("job", sa.Column(name, TEXT))
    for name in ("group_number", "group_size"):
        op.add_column("job", sa.Column(name, NUMBER))
    for name in ("parent", "group"):
        op.create_index(
            f"job_{name}",
            "job",
            [f"{name}_id"],
            sqlite_where=sa.text(f"{name}_id IS NOT NULL"),
            postgresql_where=sa.text(f"{name}_id IS NOT NULL"),
        )
    op.create_table(
        "shown_clip",
        sa.Column("job_id", TEXT, sa.ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("post", TEXT, primary_key=True),
        sa.Column("place", TEXT, nullable=False),
        sa.Column("link", TEXT, nullable=False),
        sqlite_strict=True,
    )
