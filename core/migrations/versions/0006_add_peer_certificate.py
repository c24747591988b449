"""Add the certificate a peer must show."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('peers', schema=None) as batch_op:
        batch_op.add_column(sa.Column('certificate_sha256', sa.String(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('peers', schema=None) as batch_op:
        batch_op.drop_column('certificate_sha256')
