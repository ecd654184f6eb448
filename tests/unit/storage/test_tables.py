"""The tables that the code knows are the tables that the migrations make."""

import importlib
import pkgutil
import re
import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

import core.storage
from core.storage.migrations import migrate
from core.storage.tables import METADATA

for _module in pkgutil.iter_modules(core.storage.__path__):
    importlib.import_module(f"core.storage.{_module.name}")

OWN = {"migration", "alembic_version", "sqlite_sequence", "sqlite_stat1"}


def columns(connection, table):
    found = connection.execute(f"PRAGMA table_info({table})")
    return {
        name: (affinity(kind), bool(pk) or bool(notnull), pk)
        for _, name, kind, notnull, _, pk in found
    }


def affinity(kind):
    kind = kind.upper()
    return "INTEGER" if "INT" in kind else "REAL" if kind in {"REAL", "FLOAT"} else kind


def keys(connection, table):
    found = connection.execute(f"PRAGMA foreign_key_list({table})")
    return {(row[2], row[3], row[4] or row[3], row[6]) for row in found}


def indexes(connection, table):
    """By name where they have one of ours, by columns where a UNIQUE made them."""
    found = {}
    for _, name, unique, origin, partial in connection.execute(f"PRAGMA index_list({table})"):
        names = tuple(row[2] for row in connection.execute(f"PRAGMA index_info({name})"))
        query = "SELECT sql FROM sqlite_master WHERE name = ?"
        row = connection.execute(query, (name,)).fetchone()
        where = re.split(r"\bWHERE\b", row[0])[1] if partial else ""
        plain = where.replace(f"{table}.", "").replace('"', "").strip()
        if origin != "pk":
            found[name if origin == "c" else names] = (names, bool(unique), plain)
    return found


def describe(connection):
    query = "SELECT name FROM sqlite_master WHERE type = 'table'"
    names = {row[0] for row in connection.execute(query)}
    return {
        name: {
            "columns": columns(connection, name),
            "keys": keys(connection, name),
            "indexes": indexes(connection, name),
        }
        for name in names - OWN
    }


@pytest.fixture(scope="module")
def schemas(tmp_path_factory):
    folder = tmp_path_factory.mktemp("schema")
    migrate(folder / "migrated.sqlite")
    engine = sa.create_engine(f"sqlite:///{folder / 'made.sqlite'}")
    METADATA.create_all(engine)
    engine.dispose()
    found = []
    for name in ("migrated", "made"):
        with closing(sqlite3.connect(folder / f"{name}.sqlite")) as connection:
            found.append(describe(connection))
    return found


def test_migrations_and_code_know_the_same_tables(schemas):
    migrated, made = schemas

    assert migrated.keys() == made.keys()


@pytest.mark.parametrize("table", sorted(METADATA.tables))
def test_migrated_table_is_the_table_of_the_code(schemas, table):
    migrated, made = schemas

    assert made[table] == migrated[table]


def test_every_migrated_table_is_strict(tmp_path):
    migrate(tmp_path / "clapper.sqlite")
    with closing(sqlite3.connect(tmp_path / "clapper.sqlite")) as connection:
        loose = connection.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict"
            " AND name NOT LIKE 'sqlite_%'"
        ).fetchall()

    assert loose == []
