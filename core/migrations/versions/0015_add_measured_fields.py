"""Add measured fields, and read those that are here already."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import JsonValue, UtcDateTime

revision = '0015'
down_revision = '0013'
branch_labels = None
depends_on = None

_OPV = '1.2.840.10008.5.1.4.1.1.80.1'


def upgrade() -> None:
    """Apply."""
    op.create_table('measured_fields',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('patient_key', sa.Integer(), nullable=False),
    sa.Column('instance_key', sa.Integer(), nullable=True),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('source_key', sa.String(), nullable=False),
    sa.Column('laterality', sa.String(), nullable=False),
    sa.Column('pattern', sa.String(), nullable=False),
    sa.Column('strategy', sa.String(), nullable=False),
    sa.Column('measured_at', UtcDateTime(), nullable=True),
    sa.Column('recorded_at', UtcDateTime(), nullable=False),
    sa.Column('age_years', sa.Float(), nullable=True),
    sa.Column('sensitivities_db', JsonValue, nullable=True),
    sa.Column('points', JsonValue, nullable=False),
    sa.Column('mean_deviation_db', sa.Float(), nullable=True),
    sa.Column('pattern_standard_deviation_db', sa.Float(), nullable=True),
    sa.Column('visual_field_index_percent', sa.Float(), nullable=True),
    sa.Column('glaucoma_hemifield_test', sa.String(), nullable=False),
    sa.Column('foveal_sensitivity_db', sa.Float(), nullable=True),
    sa.Column('reliability', JsonValue, nullable=False),
    sa.ForeignKeyConstraint(['instance_key'], ['instances.id'], ),
    sa.ForeignKeyConstraint(['patient_key'], ['patients.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('source_key')
    )
    op.create_index('ix_measured_fields_instance_key', 'measured_fields', ['instance_key'])
    op.create_index(
        'ix_measured_fields_eye', 'measured_fields', ['patient_key', 'laterality', 'measured_at'])
    # What came before this version knew of them is read as what comes from now on.
    op.execute(
        "INSERT INTO jobs (kind, subject, status, priority, attempts, available_at, created_at)"
        " SELECT 'read_field', CAST(id AS VARCHAR), 'queued', 0, 0, 0.0, received_at"
        f" FROM instances WHERE sop_class_uid = '{_OPV}' AND bytes_removed_at IS NULL")


def downgrade() -> None:
    """Take back."""
    op.execute("DELETE FROM jobs WHERE kind = 'read_field'")
    op.drop_index('ix_measured_fields_eye', 'measured_fields')
    op.drop_index('ix_measured_fields_instance_key', 'measured_fields')
    op.drop_table('measured_fields')
