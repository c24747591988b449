"""Add logins."""

import sqlalchemy as sa
from alembic import op

from core.tables.columns import UtcDateTime

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('login_tokens',
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('role', sa.String(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=False),
    sa.Column('used_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('digest')
    )
    op.create_table('browser_sessions',
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('key_id', sa.Integer(), nullable=True),
    sa.Column('role', sa.String(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['key_id'], ['keys.id'], ),
    sa.PrimaryKeyConstraint('digest')
    )
    with op.batch_alter_table('browser_sessions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_browser_sessions_key_id'), ['key_id'], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('browser_sessions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_browser_sessions_key_id'))

    op.drop_table('browser_sessions')
    op.drop_table('login_tokens')
