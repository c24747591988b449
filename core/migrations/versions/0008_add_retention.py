"""Say of each instance whether its bytes were removed, and list the files to remove."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import UtcDateTime

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('instances', schema=None) as batch_op:
        batch_op.add_column(sa.Column('sent_again_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('bytes_removed_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('removal_reason', sa.String(), nullable=True))
    op.create_table(
        'discarded_files',
        sa.Column('place', sa.String(), nullable=False),
        sa.Column('storage_key', sa.String(), nullable=False),
        sa.Column('discarded_at', UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint('place', 'storage_key'),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table('discarded_files')
    with op.batch_alter_table('instances', schema=None) as batch_op:
        batch_op.drop_column('removal_reason')
        batch_op.drop_column('bytes_removed_at')
        batch_op.drop_column('sent_again_at')
