"""The tables that the code knows are the tables that the migrations make, in both dialects."""

import importlib
import pkgutil
import re
import sqlite3
from contextlib import closing
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import core.storage
from core.storage.addresses import postgres_address
from core.storage.engine_schema import BOOK, ENGINE_TABLES
from core.storage.migrations import migrate
from core.storage.postgres_migrations import migrate_server
from core.storage.tables import METADATA

for _module in pkgutil.iter_modules(core.storage.__path__):
    importlib.import_module(f"core.storage.{_module.name}")

OWN = {"migration", "alembic_version", BOOK, *ENGINE_TABLES}  # of migrations, and the engine's
DIALECTS = ("sqlite", "postgresql")
TABLES = sorted(METADATA.tables)


def describe_type(kind):
    name = type(kind).__name__.upper()
    return {"DOUBLE_PRECISION": "DOUBLE", "FLOAT": "REAL"}.get(name, name)


def describe_columns(seen, table):
    key = seen.get_pk_constraint(table)["constrained_columns"]
    found = {}
    for column in seen.get_columns(table):
        default = column["default"] or ""
        if column.get("identity") or default.startswith("nextval("):
            default = "numbered"
        default = default.partition("::")[0].strip("'")
        required = not column["nullable"] or column["name"] in key
        found[column["name"]] = (describe_type(column["type"]), required, default)
    return found, tuple(key)


def describe_condition(table, text):
    """In the same words, whichever dialect wrote it down."""
    text = re.sub(r"::\w+(\[\])?", "", text or "").replace(f"{table}.", "").replace('"', "")
    text = re.sub(r"= ANY \(\(?ARRAY\[(.*?)\]\)?\)", r"IN (\1)", text)
    return re.sub(r"[()\s]", "", text).lower()


def describe(engine):
    """Describe every table of ours: columns, keys, indexes."""
    seen = sa.inspect(engine)
    found = {}
    for table in set(seen.get_table_names()) - OWN:
        columns, key = describe_columns(seen, table)
        uniques = {tuple(one["column_names"]) for one in seen.get_unique_constraints(table)}
        indexes = {}
        for index in seen.get_indexes(table):
            where = index["dialect_options"].get(f"{engine.dialect.name}_where")
            if not index.get("duplicates_constraint"):
                names = tuple(index["column_names"])
                condition = describe_condition(table, str(where) if where is not None else "")
                indexes[index["name"]] = (names, bool(index["unique"]), condition)
        keys = describe_keys(engine, seen, table)
        found[table] = {
            "columns": columns, "key": key, "unique": uniques, "indexes": indexes, "keys": keys
        }  # fmt: skip
    return found


def describe_keys(engine, seen, table):
    if engine.dialect.name == "sqlite":  # SQLAlchemy does not find ON DELETE of a column
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(f"PRAGMA foreign_key_list({table})").all()
        return {(row[2], row[3], row[4] or row[3], row[6].replace("NO ACTION", "")) for row in rows}
    return {
        (one["referred_table"], own, other, one["options"].get("ondelete", ""))
        for one in seen.get_foreign_keys(table)
        for own, other in zip(one["constrained_columns"], one["referred_columns"], strict=True)
    }


def databases(dialect, server, folder):
    """Make one database by the migrations and one from the tables of the code."""
    if dialect == "sqlite":
        migrate(folder / "migrated.sqlite")
        return [
            sa.create_engine(f"sqlite:///{folder / name}.sqlite") for name in ("migrated", "made")
        ]
    names = [f"{name}_{uuid4().hex[:8]}" for name in ("migrated", "made")]
    with server.connect("postgres") as connection:
        for name in names:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    addresses = [postgres_address(server.url(name)) for name in names]
    migrate_server(addresses[0])
    return [sa.create_engine(address.url) for address in addresses]


@pytest.fixture(scope="module", params=DIALECTS)
def engines(request, tmp_path_factory):
    dialect = request.param
    server = request.getfixturevalue("postgres_server") if dialect == "postgresql" else None
    migrated, made = databases(dialect, server, tmp_path_factory.mktemp("schema"))
    METADATA.create_all(made)
    yield migrated, made
    migrated.dispose()
    made.dispose()


@pytest.fixture(scope="module")
def schemas(engines):
    return [describe(engine) for engine in engines]


def test_migrations_and_code_know_the_same_tables(schemas):
    migrated, made = schemas

    assert migrated.keys() == made.keys() == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_migrated_table_is_the_table_of_the_code(schemas, table):
    migrated, made = schemas

    assert made[table] == migrated[table]


def test_alembic_finds_nothing_to_do_for_the_tables_of_the_code(both):
    def ours(_, name, kind, *__):
        return kind != "table" or name not in OWN

    with both[1].connect() as connection:  # of SQLite it cannot read ON DELETE
        options = {"include_object": ours, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA) == []


@pytest.fixture(scope="module")
def both(tmp_path_factory, postgres_server):
    """The migrated schema in SQLite and in PostgreSQL."""
    folder = tmp_path_factory.mktemp("both")
    found = [databases(dialect, postgres_server, folder)[0] for dialect in DIALECTS]
    yield found
    for engine in found:
        engine.dispose()


@pytest.fixture(scope="module")
def shapes(both):
    return [describe(engine) for engine in both]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_one_shape_in_both_dialects(shapes, table):
    sqlite, postgresql = (shape[table] for shape in shapes)
    wide = {"INTEGER": "BIGINT", "REAL": "DOUBLE"}
    as_wide = {
        name: (wide.get(kind, kind), required, default)
        for name, (kind, required, default) in sqlite["columns"].items()
    }
    for name, (kind, required, default) in postgresql["columns"].items():
        if default == "numbered":  # SQLite numbers a key of one whole number by itself
            assert (sqlite["key"], as_wide[name]) == ((name,), (kind, required, ""))
            as_wide[name] = (kind, required, "numbered")

    assert postgresql == {**sqlite, "columns": as_wide}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_as_many_checks_in_both_dialects(both, table):
    sqlite, postgresql = both
    with sqlite.connect() as connection:
        query = sa.text("SELECT sql FROM sqlite_master WHERE name = :name")
        text = re.sub(r"--[^\n]*", "", connection.execute(query, {"name": table}).scalar_one())

    assert len(sa.inspect(postgresql).get_check_constraints(table)) == len(
        re.findall(r"\bCHECK\b", text)
    )


def test_texts_are_compared_by_their_bytes_in_postgresql(both):
    with both[1].connect() as connection:
        other = connection.execute(
            sa.text(
                "SELECT table_name FROM information_schema.columns"
                " WHERE table_schema = 'public' AND data_type = 'text'"
                " AND collation_name IS DISTINCT FROM 'C'"
            )
        ).scalars()

        assert set(other) <= OWN


def test_every_migrated_table_is_strict(tmp_path):
    migrate(tmp_path / "clapper.sqlite")
    with closing(sqlite3.connect(tmp_path / "clapper.sqlite")) as connection:
        loose = connection.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict"
            " AND name NOT LIKE 'sqlite_%'"
        ).fetchall()

    assert loose == []


WRONG = {
    "json that is none": "UPDATE job SET request = '{' WHERE id = 'a'",
    "failure data that is no json": "UPDATE job SET failure_data = 'x' WHERE id = 'a'",
    "progress that is no json": "UPDATE job SET progress = '{\"step\"' WHERE id = 'a'",
    "a state that nobody knows": "UPDATE job SET state = 'lost' WHERE id = 'a'",
    "running without a token": "UPDATE job SET state = 'running', rank = NULL WHERE id = 'a'",
    "a second reservation": (
        "INSERT INTO ledger (job_id, kind, limit_name, account_key, period, unit, amount, at_ms)"
        " VALUES ('a', 'reserve', 'own', 'u', 1, 'gpu_ms', 1, 0)"
    ),
    "a changed entry": "UPDATE ledger SET amount = 2",
    "an entry of a job taken away": "DELETE FROM ledger",
    "an entry of no account": (
        "INSERT INTO ledger (job_id, kind, limit_name, account_key, period, unit, amount, at_ms)"
        " VALUES ('b', 'reserve', 'own', 'nobody', 1, 'gpu_ms', 1, 0)"
    ),
    "a second order": "INSERT INTO sched (id, vtime) VALUES (2, 0)",
}
ROWS = (
    "INSERT INTO account VALUES ('own', 'u', 1, 0, 0, 1, 0)",
    "INSERT INTO job (id, user_key, idem_key, state, request, reply_platform, reply_address,"
    " estimate_ms, spread_ms, cost, tag, rank, above_limit, attempt, created_at_ms)"
    " VALUES ('a', 'u', 'k', 'held', '{}', 'p', '{}', 1, 0, 1, 0, 0, 0, 0, 1700000000000)",
    "INSERT INTO ledger (job_id, kind, limit_name, account_key, period, unit, amount, at_ms)"
    " VALUES ('a', 'reserve', 'own', 'u', 1, 'gpu_ms', 1, 0)",
)


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("place", [0, 1], ids=DIALECTS)
def test_rows_that_contradict_themselves_are_refused_in_both_dialects(both, place, what):
    with both[place].connect() as connection:
        if place == 0:
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        for statement in ROWS:
            connection.exec_driver_sql(statement)

        with pytest.raises((sa.exc.IntegrityError, sa.exc.DataError)):
            connection.exec_driver_sql(WRONG[what])
        connection.rollback()


def test_ledger_of_jobs_that_are_gone_may_be_rolled_up_in_postgresql(both):
    with both[1].connect() as connection:
        for statement in ROWS:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("DELETE FROM job")
        connection.exec_driver_sql("DELETE FROM ledger")
        opening = ROWS[2].replace("'a', 'reserve'", "NULL, 'opening'")
        connection.exec_driver_sql(opening)
        connection.exec_driver_sql("UPDATE ledger SET amount = 3")
        connection.rollback()


def test_numbers_of_postgresql_go_on_by_themselves(both):
    with both[1].connect() as connection:
        connection.exec_driver_sql(ROWS[1])
        connection.exec_driver_sql(ROWS[1].replace("'a'", "'b'").replace("'k'", "'l'"))
        found = connection.exec_driver_sql("SELECT seq FROM job ORDER BY seq").scalars().all()
        connection.rollback()

    assert found[1] == found[0] + 1
    assert isinstance(found[0], int)
