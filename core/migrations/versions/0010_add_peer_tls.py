"""Add whether a peer is called over TLS."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('peers', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('tls', sa.Boolean(), nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('peers', schema=None) as batch_op:
        batch_op.drop_column('tls')
