"""Bring a connection to the newest revision; alembic runs this file.

``core.storage.revisions`` gives the connection and what is to be called after each revision, inside
its transaction. Constraints and columns are changed by statements of ours: SQLite's tables are
never written anew behind our back (``render_as_batch`` stays off), or they would lose STRICT.
"""

from alembic import context

given = context.config.attributes
context.configure(
    connection=given["connection"],
    on_version_apply=given["applied"],
    transaction_per_migration=True,
    transactional_ddl=True,  # SQLite's too, which alembic does not expect
)
with context.begin_transaction():
    context.run_migrations()
