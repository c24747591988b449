"""Add the orders to score the archive again."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import UtcDateTime

revision = '0031'
down_revision = '0028'
branch_labels = None
depends_on = None

_IS_OF_ONE = sa.text('rescoring_key IS NOT NULL')


def upgrade() -> None:
    """Apply."""
    op.create_table('rescorings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('model_name', sa.String(), nullable=False),
    sa.Column('model_version', sa.String(), nullable=False),
    sa.Column('model_digest', sa.String(), nullable=False),
    sa.Column('model_kind', sa.String(), nullable=False),
    sa.Column('is_shadow', sa.Boolean(), nullable=False),
    sa.Column('jobs', sa.Integer(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_rescorings_model_digest', 'rescorings', ['model_digest'])
    # Not in a batch, which would copy the whole table on SQLite.
    op.add_column('jobs', sa.Column('rescoring_key', sa.Integer(), nullable=True))
    op.create_index(
        'ix_jobs_rescoring',
        'jobs',
        ['rescoring_key', 'status'],
        sqlite_where=_IS_OF_ONE,
        postgresql_where=_IS_OF_ONE,
    )


def downgrade() -> None:
    """Take back."""
    op.execute("DELETE FROM jobs WHERE kind = 'rescore'")
    op.drop_index('ix_jobs_rescoring', table_name='jobs')
    op.drop_column('jobs', 'rescoring_key')
    op.drop_index('ix_rescorings_model_digest', table_name='rescorings')
    op.drop_table('rescorings')
