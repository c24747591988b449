"""Add the history of identities, and the indexes of the look-up."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import JsonValue, UtcDateTime

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

_NEWEST = ['predicted_at', 'id']
#: Served by the indexes below.
_FORMER = ['status', 'laterality', 'predicted_at', 'acquired_at', 'mean_deviation_db']
_PREDICTIONS = {
    'instance': ['instance_key'],
    'superseded_by': ['superseded_by'],
    'newest': [*_NEWEST, 'mean_deviation_db', 'acquired_at', 'manufacturer'],
    'status': ['status', *_NEWEST],
    'laterality': ['laterality', *_NEWEST],
    'model': ['model_name', *_NEWEST],
    'model_version': ['model_name', 'model_version', *_NEWEST],
    'device_model': ['manufacturer_model_name', *_NEWEST],
    'device': ['device_serial_number', *_NEWEST],
}
_CHANGES = {'patient': 'patient_key', 'from': 'from_patient_key', 'study': 'study_key'}


def upgrade() -> None:
    """Apply."""
    # Without a constraint, which SQLite cannot add here: patients are never removed.
    op.add_column('patients', sa.Column('merged_into', sa.Integer(), nullable=True))
    some = sa.text('merged_into IS NOT NULL')
    op.create_index('ix_patients_merged_into', 'patients', ['merged_into'], sqlite_where=some, postgresql_where=some)
    op.add_column('studies', sa.Column('named_patient_key', sa.Integer(), nullable=True))
    op.create_table('identity_changes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('patient_key', sa.Integer(), nullable=False),
    sa.Column('from_patient_key', sa.Integer(), nullable=True),
    sa.Column('study_key', sa.Integer(), nullable=True),
    sa.Column('details', JsonValue, nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('changed_by', sa.String(), nullable=False),
    sa.Column('changed_at', UtcDateTime(), nullable=False),
    sa.Column('undoes', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['patient_key'], ['patients.id'], ),
    sa.ForeignKeyConstraint(['from_patient_key'], ['patients.id'], ),
    sa.ForeignKeyConstraint(['study_key'], ['studies.id'], ),
    sa.ForeignKeyConstraint(['undoes'], ['identity_changes.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('undoes')
    )
    for name, column in _CHANGES.items():
        op.create_index(f'ix_identity_changes_{name}', 'identity_changes', [column, 'id'])
    for column in _FORMER:
        op.drop_index(f'ix_predictions_{column}', 'predictions')
    for name, columns in _PREDICTIONS.items():
        op.create_index(f'ix_predictions_{name}', 'predictions', columns)


def downgrade() -> None:
    """Take back; what was merged or moved stays so."""
    for name in _PREDICTIONS:
        op.drop_index(f'ix_predictions_{name}', 'predictions')
    for column in _FORMER:
        op.create_index(f'ix_predictions_{column}', 'predictions', [column])
    op.drop_table('identity_changes')
    op.drop_column('studies', 'named_patient_key')
    op.drop_index('ix_patients_merged_into', 'patients')
    op.drop_column('patients', 'merged_into')
