"""Indexes of large tables, built and removed while the node goes on.

Each in a migration of its own: what came before it in the same one is committed first.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from alembic import op
from sqlalchemy.sql.elements import TextClause

from core.migrations.locking import LOCK_SECONDS, set_lock_seconds


def create_index_live(name: str, table: str, columns: Sequence[str | TextClause]) -> None:
    """Build an index; on PostgreSQL whoever writes to the table meanwhile need not wait."""
    if not _is_postgresql():
        op.create_index(name, table, columns)
        return
    with _holding_up_nobody():
        # One whose building was interrupted is there, and serves nobody.
        op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)
        op.create_index(name, table, columns, postgresql_concurrently=True)


def drop_index_live(name: str, table: str) -> None:
    """Remove an index; on PostgreSQL whoever uses the table meanwhile need not wait."""
    if not _is_postgresql():
        op.drop_index(name, table)
        return
    with _holding_up_nobody():
        op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)


def _is_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"


@contextmanager
def _holding_up_nobody() -> Generator[None]:
    # Concurrent statements wait for every transaction that began before, and nobody for them.
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        set_lock_seconds(connection, 0)
        yield
        set_lock_seconds(connection, LOCK_SECONDS)
