"""The tables of several machines: who lives, and who may do what only one of them may."""

from sqlalchemy import Column, Table, Text

from core.storage.tables import INTEGER, METADATA

node = Table(
    "node",
    METADATA,
    Column("id", Text, primary_key=True),  # a new one at each start of the process
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("pool", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("vram_bytes", INTEGER, nullable=False),
    Column("pin", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("resident", Text, nullable=False),
    Column("job_id", Text),
    Column("state", Text, nullable=False),
    Column("beat_at_ms", INTEGER, nullable=False),
    Column("started_at_ms", INTEGER, nullable=False),
    Column("schema_known", INTEGER, nullable=False, server_default="0"),
    Column("format_known", INTEGER, nullable=False, server_default="0"),
)

term = Table(
    "term",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("node", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("until_ms", INTEGER, nullable=False),
)

bucket_wish = Table(  # what nodes without a key want signed, see core.storage.bucket_wishes
    "bucket_wish",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("question", Text, nullable=False),
    Column("asked_at_ms", INTEGER, nullable=False),
    Column("answer", Text),
)
