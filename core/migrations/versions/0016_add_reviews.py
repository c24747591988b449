"""Add reviews, and versions of reports."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import JsonValue, UtcDateTime

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('reviews',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('prediction_id', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('decision', sa.String(), nullable=False),
    sa.Column('comment', sa.String(), nullable=False),
    sa.Column('amended', JsonValue, nullable=False),
    sa.Column('reviewer', sa.String(), nullable=False),
    sa.Column('reviewed_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['prediction_id'], ['predictions.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('prediction_id', 'number')
    )
    op.create_table('review_requests',
    sa.Column('prediction_id', sa.String(), nullable=False),
    sa.Column('requested_by', sa.String(), nullable=False),
    sa.Column('comment', sa.String(), nullable=False),
    sa.Column('requested_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['prediction_id'], ['predictions.id'], ),
    sa.PrimaryKeyConstraint('prediction_id')
    )
    _remake_reports(True)


def downgrade() -> None:
    """Take back; the reports of reviews stay as instances, and are nobody's."""
    op.execute('DELETE FROM reports WHERE version > 0')
    _remake_reports(False)
    op.drop_table('review_requests')
    op.drop_table('reviews')


def _remake_reports(versioned: bool) -> None:
    # A primary key cannot be altered on SQLite.
    version = [sa.Column('version', sa.Integer(), server_default='0', nullable=False)]
    op.rename_table('reports', 'former_reports')
    op.create_table('reports',
    sa.Column('prediction_id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    *(version if versioned else []),
    sa.Column('instance_key', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['instance_key'], ['instances.id'], ),
    sa.ForeignKeyConstraint(['prediction_id'], ['predictions.id'], ),
    sa.PrimaryKeyConstraint('prediction_id', 'kind', *(['version'] if versioned else [])),
    sa.UniqueConstraint('instance_key')
    )
    op.execute('INSERT INTO reports (prediction_id, kind, instance_key)'
               ' SELECT prediction_id, kind, instance_key FROM former_reports')
    op.drop_table('former_reports')
