"""Add storage commitment requests."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import JsonValue, UtcDateTime

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('commitments',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('calling_ae_title', sa.String(), nullable=False),
    sa.Column('calling_address', sa.String(), nullable=False),
    sa.Column('transaction_uid', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('instances', JsonValue, nullable=False),
    sa.Column('requested_at', UtcDateTime(), nullable=False),
    sa.Column('reported_at', UtcDateTime(), nullable=True),
    sa.Column('failed_count', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('calling_ae_title', 'transaction_uid', 'number')
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table('commitments')
