"""Add the reports of both eyes of a study."""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        'summary_reports',
        sa.Column('summary_key', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('instance_key', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['instance_key'], ['instances.id']),
        sa.ForeignKeyConstraint(['summary_key'], ['study_summaries.id']),
        sa.PrimaryKeyConstraint('summary_key', 'kind'),
        sa.UniqueConstraint('instance_key'),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table('summary_reports')
