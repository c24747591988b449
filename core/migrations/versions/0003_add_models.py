"""Add models, shadow predictions and why an instance was not scored."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import JsonValue, UtcDateTime

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('models',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('since', UtcDateTime(), nullable=False),
    sa.Column('activated_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('name', 'version'),
    sa.UniqueConstraint('digest')
    )
    with op.batch_alter_table('models', schema=None) as batch_op:
        batch_op.create_index('uq_models_active', ['kind'], unique=True,
            sqlite_where=sa.text("state = 'active'"), postgresql_where=sa.text("state = 'active'"))
    op.create_table('shadow_predictions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('prediction_id', sa.String(), nullable=False),
    sa.Column('model_name', sa.String(), nullable=False),
    sa.Column('model_version', sa.String(), nullable=False),
    sa.Column('model_digest', sa.String(), nullable=False),
    sa.Column('predicted_at', UtcDateTime(), nullable=False),
    sa.Column('reasons', JsonValue, nullable=False),
    sa.Column('sensitivities_db', JsonValue, nullable=True),
    sa.Column('lower_db', JsonValue, nullable=True),
    sa.Column('upper_db', JsonValue, nullable=True),
    sa.Column('mean_deviation_db', sa.Float(), nullable=True),
    sa.ForeignKeyConstraint(['prediction_id'], ['predictions.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('prediction_id', 'model_digest')
    )
    with op.batch_alter_table('shadow_predictions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_shadow_predictions_prediction_id'), ['prediction_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_shadow_predictions_model_digest'), ['model_digest'], unique=False)
    with op.batch_alter_table('instances', schema=None) as batch_op:
        batch_op.add_column(sa.Column('outcome_message', sa.String(), server_default='', nullable=False))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('instances', schema=None) as batch_op:
        batch_op.drop_column('outcome_message')
    op.drop_table('shadow_predictions')
    op.drop_table('models')
