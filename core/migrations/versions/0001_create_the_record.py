"""Create the record."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import JsonValue, UtcDateTime

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('change_counter',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('last', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('changes',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('happened_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('number')
    )
    op.create_table('jobs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('available_at', sa.Float(), nullable=False),
    sa.Column('lease_until', sa.Float(), nullable=True),
    sa.Column('worker', sa.String(), nullable=True),
    sa.Column('error', sa.String(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('finished_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('jobs', schema=None) as batch_op:
        batch_op.create_index('ix_jobs_claim', ['status', 'kind', 'priority', 'id'], unique=False)
        batch_op.create_index('ix_jobs_subject', ['kind', 'subject'], unique=False)

    op.create_table('keys',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('role', sa.String(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('revoked_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('digest'),
    sa.UniqueConstraint('name')
    )
    op.create_table('patients',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.String(), nullable=False),
    sa.Column('issuer', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('birth_date', sa.Date(), nullable=True),
    sa.Column('sex', sa.String(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('patient_id', 'issuer')
    )
    with op.batch_alter_table('patients', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_patients_name'), ['name'], unique=False)

    op.create_table('peers',
    sa.Column('ae_title', sa.String(), nullable=False),
    sa.Column('host', sa.String(), nullable=False),
    sa.Column('port', sa.Integer(), nullable=True),
    sa.Column('description', sa.String(), nullable=False),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.Column('last_seen_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('ae_title')
    )
    op.create_table('quarantine',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(), nullable=False),
    sa.Column('message', sa.String(), nullable=False),
    sa.Column('calling_ae_title', sa.String(), nullable=False),
    sa.Column('sop_class_uid', sa.String(), nullable=False),
    sa.Column('sop_instance_uid', sa.String(), nullable=False),
    sa.Column('storage_key', sa.String(), nullable=False),
    sa.Column('size_bytes', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('received_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('quarantine', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_quarantine_code'), ['code'], unique=False)
        batch_op.create_index(batch_op.f('ix_quarantine_digest'), ['digest'], unique=False)
        batch_op.create_index(batch_op.f('ix_quarantine_received_at'), ['received_at'], unique=False)

    op.create_table('refused_callers',
    sa.Column('calling_ae_title', sa.String(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('called_ae_title', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('first_seen_at', UtcDateTime(), nullable=False),
    sa.Column('last_seen_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('calling_ae_title', 'address', 'called_ae_title')
    )
    op.create_table('studies',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('patient_key', sa.Integer(), nullable=False),
    sa.Column('study_instance_uid', sa.String(), nullable=False),
    sa.Column('study_id', sa.String(), nullable=False),
    sa.Column('accession_number', sa.String(), nullable=False),
    sa.Column('study_date', sa.Date(), nullable=True),
    sa.Column('study_time', sa.String(), nullable=False),
    sa.Column('study_description', sa.String(), nullable=False),
    sa.Column('referring_physician_name', sa.String(), nullable=False),
    sa.Column('received_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['patient_key'], ['patients.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('study_instance_uid')
    )
    with op.batch_alter_table('studies', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_studies_accession_number'), ['accession_number'], unique=False)
        batch_op.create_index(batch_op.f('ix_studies_patient_key'), ['patient_key'], unique=False)
        batch_op.create_index(batch_op.f('ix_studies_received_at'), ['received_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_studies_study_date'), ['study_date'], unique=False)

    op.create_table('series',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('study_key', sa.Integer(), nullable=False),
    sa.Column('series_instance_uid', sa.String(), nullable=False),
    sa.Column('modality', sa.String(), nullable=False),
    sa.Column('series_number', sa.String(), nullable=False),
    sa.Column('series_description', sa.String(), nullable=False),
    sa.Column('laterality', sa.String(), nullable=False),
    sa.Column('manufacturer', sa.String(), nullable=False),
    sa.Column('manufacturer_model_name', sa.String(), nullable=False),
    sa.Column('device_serial_number', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['study_key'], ['studies.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('series_instance_uid')
    )
    with op.batch_alter_table('series', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_series_study_key'), ['study_key'], unique=False)

    op.create_table('instances',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('series_key', sa.Integer(), nullable=False),
    sa.Column('sop_instance_uid', sa.String(), nullable=False),
    sa.Column('sop_class_uid', sa.String(), nullable=False),
    sa.Column('transfer_syntax_uid', sa.String(), nullable=False),
    sa.Column('instance_number', sa.String(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('size_bytes', sa.Integer(), nullable=False),
    sa.Column('storage_key', sa.String(), nullable=False),
    sa.Column('calling_ae_title', sa.String(), nullable=False),
    sa.Column('origin', sa.String(), nullable=False),
    sa.Column('outcome', sa.String(), nullable=False),
    sa.Column('received_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['series_key'], ['series.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('sop_instance_uid')
    )
    with op.batch_alter_table('instances', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_instances_received_at'), ['received_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_instances_series_key'), ['series_key'], unique=False)

    op.create_table('predictions',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('instance_key', sa.Integer(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('laterality', sa.String(), nullable=True),
    sa.Column('model_name', sa.String(), nullable=False),
    sa.Column('model_version', sa.String(), nullable=False),
    sa.Column('model_digest', sa.String(), nullable=False),
    sa.Column('manufacturer', sa.String(), nullable=False),
    sa.Column('manufacturer_model_name', sa.String(), nullable=False),
    sa.Column('device_serial_number', sa.String(), nullable=False),
    sa.Column('age_years', sa.Float(), nullable=True),
    sa.Column('acquired_at', UtcDateTime(), nullable=True),
    sa.Column('predicted_at', UtcDateTime(), nullable=False),
    sa.Column('quality_score', sa.Float(), nullable=False),
    sa.Column('mean_sensitivity_db', sa.Float(), nullable=True),
    sa.Column('mean_deviation_db', sa.Float(), nullable=True),
    sa.Column('pattern_standard_deviation_db', sa.Float(), nullable=True),
    sa.Column('reasons', JsonValue, nullable=False),
    sa.Column('sensitivities_db', JsonValue, nullable=True),
    sa.Column('lower_db', JsonValue, nullable=True),
    sa.Column('upper_db', JsonValue, nullable=True),
    sa.Column('total_deviation_db', JsonValue, nullable=True),
    sa.Column('pattern_deviation_db', JsonValue, nullable=True),
    sa.Column('thickness_um', JsonValue, nullable=True),
    sa.Column('layers', JsonValue, nullable=True),
    sa.Column('preview_key', sa.String(), nullable=True),
    sa.Column('superseded_by', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['instance_key'], ['instances.id'], ),
    sa.ForeignKeyConstraint(['superseded_by'], ['predictions.id'], ),
    sa.PrimaryKeyConstraint('id'),
    )
    with op.batch_alter_table('predictions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_predictions_acquired_at'), ['acquired_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_predictions_laterality'), ['laterality'], unique=False)
        batch_op.create_index(batch_op.f('ix_predictions_mean_deviation_db'), ['mean_deviation_db'], unique=False)
        batch_op.create_index(batch_op.f('ix_predictions_predicted_at'), ['predicted_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_predictions_status'), ['status'], unique=False)
    op.create_index(
        'uq_predictions_answer',
        'predictions',
        ['instance_key', 'model_digest'],
        unique=True,
        sqlite_where=sa.text("status != 'superseded'"),
        postgresql_where=sa.text("status != 'superseded'"),
    )

    op.create_table('reports',
    sa.Column('prediction_id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('instance_key', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['instance_key'], ['instances.id'], ),
    sa.ForeignKeyConstraint(['prediction_id'], ['predictions.id'], ),
    sa.PrimaryKeyConstraint('prediction_id', 'kind'),
    sa.UniqueConstraint('instance_key')
    )
    op.execute("INSERT INTO change_counter (id, last) VALUES (1, 0)")


def downgrade() -> None:
    """Take back."""
    op.drop_table('reports')
    with op.batch_alter_table('predictions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_predictions_status'))
        batch_op.drop_index(batch_op.f('ix_predictions_predicted_at'))
        batch_op.drop_index(batch_op.f('ix_predictions_mean_deviation_db'))
        batch_op.drop_index(batch_op.f('ix_predictions_laterality'))
        batch_op.drop_index(batch_op.f('ix_predictions_acquired_at'))

    op.drop_table('predictions')
    with op.batch_alter_table('instances', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_instances_series_key'))
        batch_op.drop_index(batch_op.f('ix_instances_received_at'))

    op.drop_table('instances')
    with op.batch_alter_table('series', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_series_study_key'))

    op.drop_table('series')
    with op.batch_alter_table('studies', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_studies_study_date'))
        batch_op.drop_index(batch_op.f('ix_studies_received_at'))
        batch_op.drop_index(batch_op.f('ix_studies_patient_key'))
        batch_op.drop_index(batch_op.f('ix_studies_accession_number'))

    op.drop_table('studies')
    op.drop_table('refused_callers')
    with op.batch_alter_table('quarantine', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_quarantine_received_at'))
        batch_op.drop_index(batch_op.f('ix_quarantine_digest'))
        batch_op.drop_index(batch_op.f('ix_quarantine_code'))

    op.drop_table('quarantine')
    op.drop_table('peers')
    with op.batch_alter_table('patients', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_patients_name'))

    op.drop_table('patients')
    op.drop_table('keys')
    with op.batch_alter_table('jobs', schema=None) as batch_op:
        batch_op.drop_index('ix_jobs_subject')
        batch_op.drop_index('ix_jobs_claim')

    op.drop_table('jobs')
    op.drop_table('changes')
    op.drop_table('change_counter')
