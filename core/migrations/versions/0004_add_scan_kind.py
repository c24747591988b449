"""Add what kind of scan a prediction was made from, and its warnings for people."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import JsonValue

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('predictions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('scan_kind', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('notes', JsonValue, server_default='[]', nullable=False))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('predictions', schema=None) as batch_op:
        batch_op.drop_column('notes')
        batch_op.drop_column('scan_kind')
