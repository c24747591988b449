"""Add the secret of pseudonyms."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import UtcDateTime

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('pseudonym_secrets',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('secret', sa.String(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )


def downgrade() -> None:
    """Take back; pseudonyms made afterwards are others."""
    op.drop_table('pseudonym_secrets')
