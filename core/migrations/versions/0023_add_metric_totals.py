"""Add totals of metrics."""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('metric_totals',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('labels', sa.String(), nullable=False),
    sa.Column('value', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('name', 'labels')
    )
    # Counting begins now: rates need no history, and a million old changes would have to be read.
    op.execute(
        "INSERT INTO feed_positions (reader, number) "
        "SELECT 'metrics', COALESCE(MAX(last), 0) FROM change_counter"
    )


def downgrade() -> None:
    """Take back."""
    op.execute("DELETE FROM feed_positions WHERE reader = 'metrics'")
    op.drop_table('metric_totals')
