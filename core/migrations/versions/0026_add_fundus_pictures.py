"""Add the picture of the fundus to a prediction, and where its scan lies on it."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import JsonValue

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # Not in a batch, which would copy the whole table on SQLite.
    op.add_column('predictions', sa.Column('fundus_key', sa.String(), nullable=True))
    op.add_column('predictions', sa.Column('fundus', JsonValue, nullable=True))
    op.add_column('predictions', sa.Column('circle_course', JsonValue, nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column('predictions', 'circle_course')
    op.drop_column('predictions', 'fundus')
    op.drop_column('predictions', 'fundus_key')
