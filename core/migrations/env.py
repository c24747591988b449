"""What Alembic runs: our migrations on the connection it is given."""

from alembic import context
from sqlmodel import SQLModel

from core.tables.register import TABLES

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    # SQLite changes a table only by copying it.
    render_as_batch=True,
    compare_type=True,
    # What one did stays done where the next one fails; an index built live needs it, too.
    transaction_per_migration=True,
)
_LISTED = TABLES
with context.begin_transaction():
    context.run_migrations()
