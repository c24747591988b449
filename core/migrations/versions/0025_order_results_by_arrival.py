"""Order results by arrival, whatever of them is asked for."""

from alembic import op

revision = '0025'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index('ix_predictions_status_arrival', 'predictions', ['status', 'instance_key'])
    op.create_index(
        'ix_predictions_device_arrival', 'predictions', ['manufacturer_model_name', 'instance_key']
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index('ix_predictions_device_arrival', table_name='predictions')
    op.drop_index('ix_predictions_status_arrival', table_name='predictions')
