"""Add study summaries, what peers say of studies, and when devices were last seen."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import JsonValue, UtcDateTime

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('study_summaries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('study_key', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('cause', sa.String(), nullable=False),
    sa.Column('opened_at', UtcDateTime(), nullable=False),
    sa.Column('changed_at', UtcDateTime(), nullable=False),
    sa.Column('due_at', UtcDateTime(), nullable=True),
    sa.Column('settled_at', UtcDateTime(), nullable=True),
    sa.Column('received', sa.Integer(), nullable=False),
    sa.Column('scored', sa.Integer(), nullable=False),
    sa.Column('not_assessable', sa.Integer(), nullable=False),
    sa.Column('failed', sa.Integer(), nullable=False),
    sa.Column('pending', sa.Integer(), nullable=False),
    sa.Column('not_model_input', sa.Integer(), nullable=False),
    sa.Column('missing', sa.Integer(), nullable=False),
    sa.Column('eyes', JsonValue, nullable=False),
    sa.ForeignKeyConstraint(['study_key'], ['studies.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('study_key', 'version')
    )
    op.create_index('ix_study_summaries_due', 'study_summaries', ['state', 'due_at'])
    op.create_table('study_notices',
    sa.Column('sop_instance_uid', sa.String(), nullable=False),
    sa.Column('study_instance_uid', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('instances', JsonValue, nullable=False),
    sa.Column('calling_ae_title', sa.String(), nullable=False),
    sa.Column('received_at', UtcDateTime(), nullable=False),
    sa.Column('taken_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('sop_instance_uid', 'study_instance_uid')
    )
    op.create_index('ix_study_notices_study_instance_uid', 'study_notices', ['study_instance_uid'])
    op.create_index('ix_study_notices_taken_at', 'study_notices', ['taken_at'])
    op.create_table('ended_associations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('calling_ae_title', sa.String(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('began_at', UtcDateTime(), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=False),
    sa.Column('echoed', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('feed_positions',
    sa.Column('reader', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('reader')
    )
    op.create_table('peer_sightings',
    sa.Column('ae_title', sa.String(), nullable=False),
    sa.Column('first_seen_at', UtcDateTime(), nullable=False),
    sa.Column('last_association_at', UtcDateTime(), nullable=True),
    sa.Column('last_echo_at', UtcDateTime(), nullable=True),
    sa.Column('last_object_at', UtcDateTime(), nullable=True),
    sa.Column('last_address', sa.String(), nullable=False),
    sa.Column('associations', sa.Integer(), nullable=False),
    sa.Column('objects', sa.Integer(), nullable=False),
    sa.Column('sop_classes', JsonValue, nullable=False),
    sa.Column('transfer_syntaxes', JsonValue, nullable=False),
    sa.PrimaryKeyConstraint('ae_title')
    )
    op.create_table('devices',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('manufacturer', sa.String(), nullable=False),
    sa.Column('model', sa.String(), nullable=False),
    sa.Column('serial_number', sa.String(), nullable=False),
    sa.Column('station_key', sa.String(), nullable=False),
    sa.Column('station_name', sa.String(), nullable=False),
    sa.Column('institution_name', sa.String(), nullable=False),
    sa.Column('first_seen_at', UtcDateTime(), nullable=False),
    sa.Column('last_seen_at', UtcDateTime(), nullable=False),
    sa.Column('last_ae_title', sa.String(), nullable=False),
    sa.Column('objects', sa.Integer(), nullable=False),
    sa.Column('sop_classes', JsonValue, nullable=False),
    sa.Column('transfer_syntaxes', JsonValue, nullable=False),
    sa.Column('clock_days', JsonValue, nullable=False),
    sa.Column('names_zone', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('manufacturer', 'model', 'serial_number', 'station_key')
    )
    # Readers begin at the first change: studies that are here already get their summary, too.
    op.execute("INSERT INTO feed_positions (reader, number) VALUES ('roll_up', 0)")
    with op.batch_alter_table('peers', schema=None) as batch_op:
        batch_op.add_column(sa.Column('expect_every_seconds', sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column('expect_days', sa.String(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('silent_since', UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('peers', schema=None) as batch_op:
        batch_op.drop_column('silent_since')
        batch_op.drop_column('expect_days')
        batch_op.drop_column('expect_every_seconds')
    op.drop_table('devices')
    op.drop_table('peer_sightings')
    op.drop_table('feed_positions')
    op.drop_table('ended_associations')
    op.drop_index('ix_study_notices_taken_at', 'study_notices')
    op.drop_index('ix_study_notices_study_instance_uid', 'study_notices')
    op.drop_table('study_notices')
    op.drop_index('ix_study_summaries_due', 'study_summaries')
    op.drop_table('study_summaries')
