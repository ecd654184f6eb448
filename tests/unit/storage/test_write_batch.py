"""Changes that are sent together: all of them or none, and as few trips as the dialect allows."""

import pytest
from sqlalchemy import event, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.storage.tables import flow, sched, setting
from core.storage.write_batch import WriteBatch


def add_setting(name):
    return insert(setting).values(name=name, value="on")


def to_vtime(number):
    return update(sched).values(vtime=number).returning(sched.c.vtime)


async def test_changes_of_a_batch_are_one_statement_at_a_server(room):
    asked = []
    engine = room.database.engine.sync_engine
    async with room.database.transaction() as connection:
        event.listen(engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
        batch = WriteBatch()
        batch.add(add_setting("one"), add_setting("two"), to_vtime(7))
        result = await batch.send(connection)
        assert result.scalar_one() == 7
        names = (await connection.execute(select(setting.c.name))).scalars().all()

    assert {"one", "two"} <= set(names)
    sent = len(asked) - 1
    assert sent == (1 if engine.dialect.name == "postgresql" else 3)


async def test_result_is_that_of_the_change_asked_about(room):
    asked = to_vtime(9)
    batch = WriteBatch()
    batch.add(asked, add_setting("later"))
    async with room.database.transaction() as connection:
        assert (await batch.send(connection, asked)).scalar_one() == 9


async def test_batch_that_fails_changes_nothing(room):
    wrong = insert(flow).values(user_key="x", finish=0, since_ms=0, weight=None, held=0, active=0)
    batch = WriteBatch()
    batch.add(add_setting("first"), wrong)
    with pytest.raises(IntegrityError):
        async with room.database.transaction() as connection:
            await batch.send(connection)

    async with room.database.snapshot() as connection:
        names = (await connection.execute(select(setting.c.name))).scalars().all()
    assert "first" not in names


async def test_batch_is_empty_once_it_is_sent(room):
    batch = WriteBatch()
    batch.add(add_setting("once"))
    async with room.database.transaction() as connection:
        await batch.send(connection)
        batch.add(to_vtime(3))
        await batch.send(connection)  # the first change again would break the key
