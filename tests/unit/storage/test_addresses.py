"""Which addresses lead to which database, and which ways to a server are refused."""

import traceback

import pytest

from core.errors.setup import BadConfiguration
from core.errors.storage import StorageUnavailable
from core.i18n.messages import explain
from core.settings import load_settings
from core.storage.addresses import database_file, is_postgres, postgres_address
from core.storage.database import Database

SECRET = "horse-battery"


def mode_of(url, **how):
    return postgres_address(url, **how).url.query.get("sslmode")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_server_is_named_without_account_and_password(scheme):
    address = postgres_address(f"{scheme}://anna:{SECRET}@db.example:6432/rows")

    assert address.server == "db.example:6432/rows"
    assert address.url.drivername == "postgresql+psycopg"
    assert SECRET not in repr(address) + str(address.url)


@pytest.mark.parametrize(
    "host",
    [
        "db.example",
        "10.0.0.5",
        "0.0.0.0",
        "[2001:db8::1]",
        "localhost.example",
        "127.0.0.1.example",
    ],
)
def test_way_to_another_machine_is_encrypted(host):
    assert mode_of(f"postgresql://anna@{host}/rows") == "require"
    for weak in ("disable", "allow", "prefer", "nonsense"):
        with pytest.raises(BadConfiguration, match="sslmode"):
            postgres_address(f"postgresql://anna@{host}/rows?sslmode={weak}")
    assert mode_of(f"postgresql://anna@{host}/rows?sslmode=verify-full") == "verify-full"
    assert mode_of(f"postgresql://anna@{host}/rows?sslmode=disable", insecure=True) == "disable"
    assert mode_of(f"postgresql://anna@{host}/rows", insecure=True) is None


@pytest.mark.parametrize(
    "place", ["localhost/rows", "127.0.0.1/rows", "[::1]/rows", "/rows?host=/run/postgresql"]
)
def test_way_inside_this_machine_need_not_be(place):
    sign = "&" if "?" in place else "?"

    assert mode_of(f"postgresql://anna@{place}") == "prefer"
    assert mode_of(f"postgresql://anna@{place}{sign}sslmode=disable") == "disable"


def test_option_that_names_another_server_counts_and_not_the_one_that_is_seen():
    assert mode_of("postgresql://anna@localhost/rows?host=db.example") == "require"
    assert mode_of("postgresql://anna@localhost/rows?host=localhost&host=db.example") == "require"
    assert mode_of("postgresql://anna@/rows") == "require"  # PGHOST may name one


@pytest.mark.parametrize("option", ["hostaddr=10.0.0.5", "service=x", "options=-c%20x", "user=y"])
def test_option_that_hides_where_to_or_undoes_a_limit_is_refused(option):
    with pytest.raises(BadConfiguration, match=option.partition("=")[0]):
        postgres_address(f"postgresql://anna:{SECRET}@localhost/rows?{option}")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://anna:{SECRET}@localhost:port/rows",
        f"postgresql://anna:{SECRET}@localhost/",
        f"mysql://anna:{SECRET}@localhost/rows",
        f"postgresql+asyncpg://anna:{SECRET}@localhost/rows",
        f"://anna:{SECRET}@",
    ],
)
def test_address_that_cannot_work_is_refused_without_its_password(url):
    with pytest.raises(BadConfiguration) as refused:
        Database(url)

    assert SECRET not in str(refused.value) + repr(refused.value)


def test_file_is_found_only_where_there_is_one():
    assert not is_postgres("sqlite+aiosqlite:////srv/postgresql.sqlite")
    assert str(database_file("sqlite+aiosqlite:////srv/a.sqlite")) == "/srv/a.sqlite"
    assert database_file("postgresql://anna@localhost/rows") is None


def test_settings_do_not_show_the_password():
    settings = load_settings(database_url=f"postgresql://anna:{SECRET}@localhost/rows")

    assert SECRET not in repr(settings) + str(settings.model_dump())
    assert SECRET in settings.database


async def test_server_that_is_not_there_is_told_without_the_password():
    database = Database(f"postgresql://anna:{SECRET}@127.0.0.1:1/rows")
    with pytest.raises(StorageUnavailable) as refused:
        async with database.transaction():
            raise AssertionError("nobody listens there")
    await database.close()

    assert refused.value.reason == "server_unreachable"
    assert SECRET not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    "url",
    [
        "/srv/rows.sqlite",
        "file:/srv/rows.sqlite",
        "sqlite+aiosqlite://ada:secret@host/rows.sqlite",
        "sqlite+aiosqlite:////srv/a%00b.sqlite",
        "sqlite+aiosqlite:////srv/a%0ab.sqlite",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:////srv/a.sqlite?mode=ro",
    ],
)
def test_what_names_no_file_is_told_how_one_is_named(url):
    with pytest.raises(BadConfiguration) as refused:
        database_file(url)

    assert "sqlite+aiosqlite:///<file>" in explain(refused.value)
    assert "secret" not in explain(refused.value)


@pytest.mark.parametrize("scheme", ["sqlite", "SQLite", "sqlite+pysqlite", "SQLITE+AIOSQLITE"])
def test_a_file_of_sqlite_is_meant_whatever_driver_is_named(scheme, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    for file in (str(tmp_path / "a.sqlite"), "a.sqlite"):
        settings = load_settings(database_url=f"{scheme}:///{file}")
        assert database_file(settings.database) == tmp_path / "a.sqlite"
