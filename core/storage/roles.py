"""Roles of PostgreSQL: what a worker's own connection may do, and what a front's.

A role holds rights and cannot log in; the operator makes accounts in it. Nothing is granted that is
not listed here, so a new table is refused to workers until somebody decides about it.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from core.storage.cluster_tables import node
from core.storage.every_table import TABLES

WORKER, FRONT = "clapper_worker", "clapper_front"


@dataclass(frozen=True, slots=True)
class Rights:
    """What may be done with the rows of a table; a right by columns names them."""

    read: bool | tuple[str, ...] = False
    add: bool = False
    change: tuple[str, ...] = ()
    remove: bool = False


_ALL = Rights(read=True, add=True, remove=True)
# What the calls of core.interfaces.work_queue and the history of runs need, and nothing else.
WORKER_RIGHTS: dict[str, Rights] = {
    "job": Rights(
        read=True,
        change=(
            *("state", "tag", "rank", "above_limit", "attempt", "losses", "token", "node_id"),
            *("lease_until_ms", "started_at_ms", "finished_at_ms", "charged_ms"),
            *("failure_code", "failure_data", "progress", "progress_at_ms"),
            *("overtaken", "overtaken_since_ms"),
        ),
    ),
    "job_event": Rights(read=("id",), add=True),
    "artifact": Rights(read=True, add=True),
    "outbox": Rights(add=True),
    "flow": Rights(read=True, change=("finish", "since_ms", "held", "active")),
    "sched": Rights(read=True, change=("vtime",)),
    "account": Rights(read=True, change=("reserved", "used")),
    "ledger": Rights(read=True, add=True),
    "pseudonym": Rights(read=("limit_name", "account_key"), remove=True),
    "setting": Rights(read=True),
    "run": _ALL,
    "run_part": _ALL,
    "fit": _ALL,
    "fit_rate": _ALL,
    "node": Rights(  # a worker can disturb other workers by it; whose jobs are whose stays
        read=True,
        add=True,
        change=tuple(column.name for column in node.columns if not column.primary_key),
        remove=True,
    ),
    "bucket_wish": Rights(read=True, add=True, remove=True),
    "migration": Rights(read=True),
}
# the tables of the job engine, and what numbers their rows: they name no person
_ENGINE = r"""SELECT relname, relkind FROM pg_class WHERE relkind IN ('r', 'S')
    AND relnamespace = current_schema()::regnamespace AND relname LIKE 'procrastinate\_%'"""
# Rows that a worker may touch, where a right to the table says too much: for it alone, and beside
# a rule that leaves everybody else what they may do.
_UNUSED = """NOT EXISTS (SELECT 1 FROM account WHERE account.limit_name = pseudonym.limit_name
    AND account.account_key = pseudonym.account_key
    AND (account.reserved > 0 OR account.used > 0 OR account.granted <> 0))"""
_ROWS = {
    "ledger": ("INSERT", "WITH CHECK (kind IN ('commit', 'refund') AND job_id IS NOT NULL)"),
    "pseudonym": ("ALL", f"USING ({_UNUSED})"),
}


def role_statements() -> list[str]:
    """Return the statements that make both roles and give them exactly their rights.

    They may be repeated: what a role was granted before is taken back first.
    """
    return [
        *(statement for role in (WORKER, FRONT) for statement in _made(role)),
        *(one for name, rights in WORKER_RIGHTS.items() for one in _granted(name, rights)),
        *_rows_of_the_worker(),
        *(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table.name} TO {FRONT}" for table in TABLES),
        f"GRANT SELECT ON migration TO {FRONT}",
        *(_for_engine(role) for role in (WORKER, FRONT)),
    ]


def apply_roles(connection: sa.Connection) -> None:
    """Make the roles and grant their rights, inside a transaction."""
    for statement in role_statements():
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def has_roles(connection: sa.Connection) -> bool:
    """Tell whether an operator made both roles."""
    there = sa.text("SELECT count(*) = 2 FROM pg_roles WHERE rolname IN (:worker, :front)")
    return bool(connection.scalar(there, {"worker": WORKER, "front": FRONT}))


def _made(role: str) -> list[str]:
    make = f"CREATE ROLE {role} NOLOGIN"
    absent = f"IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN {make}; END IF;"
    back = (
        f"EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM {role}', current_schema());"
        f" EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM {role}',"
        " current_schema());"
        f" EXECUTE format('GRANT USAGE ON SCHEMA %I TO {role}', current_schema());"
    )
    return [f"DO $$ BEGIN {absent} {back} END $$"]


def _granted(table: str, rights: Rights) -> list[str]:
    granted: list[str] = []
    if rights.read:
        granted.append("SELECT" if rights.read is True else f"SELECT ({', '.join(rights.read)})")
    if rights.add:
        granted.append("INSERT")
    if rights.change:
        granted.append(f"UPDATE ({', '.join(rights.change)})")
    if rights.remove:
        granted.append("DELETE")
    return [f"GRANT {', '.join(granted)} ON {table} TO {WORKER}"]


def _rows_of_the_worker() -> list[str]:
    statements: list[str] = []
    for table, (command, rule) in _ROWS.items():
        statements += [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"DROP POLICY IF EXISTS clapper_everybody ON {table}",
            f"CREATE POLICY clapper_everybody ON {table} USING (true) WITH CHECK (true)",
            f"DROP POLICY IF EXISTS {WORKER} ON {table}",
            f"CREATE POLICY {WORKER} ON {table} AS RESTRICTIVE FOR {command} TO {WORKER} {rule}",
        ]
    return statements


def _for_engine(role: str) -> str:
    rows = f"GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO {role}"
    numbers = f"GRANT USAGE ON %I TO {role}"
    return (
        f"DO $$ DECLARE one record; BEGIN FOR one IN {_ENGINE} LOOP"
        f" EXECUTE format(CASE one.relkind WHEN 'r' THEN '{rows}' ELSE '{numbers}' END,"
        " one.relname); END LOOP; END $$"
    )
