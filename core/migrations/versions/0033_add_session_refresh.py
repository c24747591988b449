"""Add to a session what its roles are asked for again with, and when they were."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import UtcDateTime

revision = '0033'
down_revision = '0031'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    empty = sa.Column('refresh_token', sa.String(), nullable=False, server_default='')
    op.add_column('browser_sessions', empty)
    op.add_column('browser_sessions', sa.Column('roles_read_at', UtcDateTime, nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column('browser_sessions', 'roles_read_at')
    op.drop_column('browser_sessions', 'refresh_token')
