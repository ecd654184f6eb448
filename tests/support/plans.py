"""How a database would answer a statement: which tables it would read from end to end."""

from typing import Any

from core.storage.engines import Connection


async def tables_read_whole(connection: Connection, statement: str, values: Any) -> set[str]:
    """Ask the planner; where an index could help, it counts as used, however small the table."""
    if connection.dialect.name == "sqlite":
        found = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        steps = [str(row.detail) for row in found]
        scans = [step for step in steps if step.startswith("SCAN ") and "USING" not in step]
        return {step.split()[1] for step in scans} - {"CONSTANT"}
    await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    plan = await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values)
    return set(_scanned(plan.scalar_one()))


def _scanned(part: Any) -> list[str]:
    if isinstance(part, list):
        return [name for one in part for name in _scanned(one)]
    if not isinstance(part, dict):
        return []
    own = [part["Relation Name"]] if part.get("Node Type") == "Seq Scan" else []
    return own + [name for value in part.values() for name in _scanned(value)]
