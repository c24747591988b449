"""Let sizes of objects go beyond two gibibytes."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

TABLES = ('instances', 'quarantine')


def upgrade() -> None:
    """Apply."""
    _change(sa.Integer(), sa.BigInteger())


def downgrade() -> None:
    """Take back; fails where a larger object is kept."""
    _change(sa.BigInteger(), sa.Integer())


def _change(former: sa.Integer, wanted: sa.Integer) -> None:
    # An INTEGER of SQLite has 64 bits already.
    if op.get_bind().dialect.name == 'sqlite':
        return
    for table in TABLES:
        op.alter_column(
            table, 'size_bytes', existing_type=former, type_=wanted, existing_nullable=False
        )
