"""Add destinations, the rules of what goes there, and deliveries."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import JsonValue, UtcDateTime

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        'destinations',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('address', sa.String(), nullable=False),
        sa.Column('options', JsonValue, nullable=False),
        sa.Column('secret', sa.String(), nullable=True),
        sa.Column('learned', JsonValue, nullable=False),
        sa.Column('enabled', sa.Boolean(), nullable=False),
        sa.Column('circuit', sa.String(), nullable=False),
        sa.Column('failures', sa.Integer(), nullable=False),
        sa.Column('retry_at', UtcDateTime(), nullable=True),
        sa.Column('last_success_at', UtcDateTime(), nullable=True),
        sa.Column('last_error', sa.String(), nullable=True),
        sa.Column('last_error_at', UtcDateTime(), nullable=True),
        sa.Column('added_at', UtcDateTime(), nullable=False),
        sa.Column('removed_at', UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_index(
        'uq_destinations_name',
        'destinations',
        ['name'],
        unique=True,
        sqlite_where=sa.text('removed_at IS NULL'),
        postgresql_where=sa.text('removed_at IS NULL'),
    )
    op.create_table(
        'delivery_rules',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('destination_id', sa.Integer(), nullable=False),
        sa.Column('statuses', JsonValue, nullable=False),
        sa.Column('model', sa.String(), nullable=False),
        sa.Column('laterality', sa.String(), nullable=False),
        sa.Column('report_kinds', JsonValue, nullable=False),
        sa.Column('added_at', UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(['destination_id'], ['destinations.id']),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_index('ix_delivery_rules_destination_id', 'delivery_rules', ['destination_id'])
    op.create_table(
        'deliveries',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('destination_id', sa.Integer(), nullable=False),
        sa.Column('instance_key', sa.Integer(), nullable=False),
        sa.Column('report_kind', sa.String(), nullable=False),
        sa.Column('state', sa.String(), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('available_at', sa.Float(), nullable=True),
        sa.Column('error', sa.String(), nullable=True),
        sa.Column('created_at', UtcDateTime(), nullable=False),
        sa.Column('failing_since', UtcDateTime(), nullable=True),
        sa.Column('delivered_at', UtcDateTime(), nullable=True),
        sa.Column('gave_up_at', UtcDateTime(), nullable=True),
        sa.Column('dismissed_at', UtcDateTime(), nullable=True),
        sa.Column('sent_sop_class_uid', sa.String(), nullable=True),
        sa.Column('sent_sop_instance_uid', sa.String(), nullable=True),
        sa.Column('commitment', sa.String(), nullable=True),
        sa.Column('commitment_requests', sa.Integer(), nullable=False),
        sa.Column('committed_at', UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(['destination_id'], ['destinations.id']),
        sa.ForeignKeyConstraint(['instance_key'], ['instances.id']),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('destination_id', 'instance_key'),
    )
    op.create_index('ix_deliveries_due', 'deliveries', ['destination_id', 'state', 'available_at'])
    op.create_index('ix_deliveries_instance', 'deliveries', ['instance_key'])
    op.create_table(
        'delivery_commitments',
        sa.Column('transaction_uid', sa.String(), nullable=False),
        sa.Column('delivery_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['delivery_id'], ['deliveries.id']),
        sa.PrimaryKeyConstraint('transaction_uid', 'delivery_id'),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table('delivery_commitments')
    op.drop_table('deliveries')
    op.drop_table('delivery_rules')
    op.drop_table('destinations')
