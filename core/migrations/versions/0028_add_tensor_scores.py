"""Add tensors that are scored without a scan, and the history of models."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import JsonValue, UtcDateTime

revision = '0028'
down_revision = '0026'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('tensor_scores',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('model_name', sa.String(), nullable=False),
    sa.Column('model_version', sa.String(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('structure', sa.LargeBinary(), nullable=False),
    sa.Column('age_years', sa.LargeBinary(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('sensitivities_db', sa.LargeBinary(), nullable=True),
    sa.Column('spread_db', sa.LargeBinary(), nullable=True),
    sa.Column('unfit', JsonValue, nullable=False),
    sa.Column('error', sa.String(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('keep_until', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('tensor_scores', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tensor_scores_keep_until'), ['keep_until'], unique=False)
        batch_op.create_index(batch_op.f('ix_tensor_scores_status'), ['status'], unique=False)
    op.create_table('model_changes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('state_before', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table('model_changes')
    with op.batch_alter_table('tensor_scores', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_tensor_scores_status'))
        batch_op.drop_index(batch_op.f('ix_tensor_scores_keep_until'))

    op.drop_table('tensor_scores')
