"""The schema that the numbered SQL files of SQLite lead to, for PostgreSQL in one file.

SQLite is here already: ``core.storage.migrations`` applies those files, each with its checksum, so
that a database of any of their versions goes on from where it is.
"""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = None
oldest = 10  # the schema of the oldest program that can use a database of this one

_TABLES = Path(__file__).resolve().parents[1] / "postgresql" / "0010_base.sql"


def upgrade() -> None:
    """Make the tables of PostgreSQL."""
    if op.get_bind().dialect.name == "postgresql":
        text = _TABLES.read_text("utf-8")
        op.get_bind().exec_driver_sql(text, execution_options={"no_parameters": True})
