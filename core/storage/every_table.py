"""All tables, in the order in which rows can be written; modules add theirs when they are read."""

from core.storage import (
    access,
    accounts,
    cluster_tables,
    feed,
    files,
    gate_nodes,
    moderation,
    program_tokens,
    pseudonyms,
    runs,
    stars,
    styles,
)
from core.storage.tables import METADATA, sched

MODULES = (
    *(access, accounts, cluster_tables, feed, files, gate_nodes, moderation),
    *(program_tokens, pseudonyms, runs, stars, styles),
)
# what a row refers to is there before it; the fair order last: without it nobody serves the rows
TABLES = (*(table for table in METADATA.sorted_tables if table is not sched), sched)
