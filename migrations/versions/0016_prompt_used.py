"""What a language model made of a prompt, beside the clip that was made of it."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
oldest = 10

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add a column; nothing that is there changes."""
    column = sa.Column("prompt_used", WORDS, nullable=False, server_default="")
    op.add_column("artifact", column)
