"""Add the jobs of the Watson-compatible API."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import UtcDateTime

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('deployment_jobs',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('deployment_id', sa.String(), nullable=False),
    sa.Column('model_name', sa.String(), nullable=False),
    sa.Column('model_version', sa.String(), nullable=False),
    sa.Column('hardware', sa.String(), nullable=False),
    sa.Column('request', sa.LargeBinary(), nullable=False),
    sa.Column('names_studies', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('predictions', sa.LargeBinary(), nullable=True),
    sa.Column('failure_code', sa.String(), nullable=False),
    sa.Column('failure', sa.String(), nullable=False),
    sa.Column('size_bytes', sa.Integer(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('running_at', UtcDateTime(), nullable=True),
    sa.Column('finished_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('deployment_jobs', schema=None) as batch_op:
        for name in ('deployment_id', 'state', 'created_at', 'finished_at'):
            batch_op.create_index(batch_op.f(f'ix_deployment_jobs_{name}'), [name], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_table('deployment_jobs')
    op.execute("DELETE FROM jobs WHERE kind IN ('score_job', 'score_job_gpu')")
