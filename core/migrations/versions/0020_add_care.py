"""Add what the pages of peers, models, trends and quarantine tell, and their indexes."""

import math
from typing import Any

import sqlalchemy as sa
from alembic import op

from core.tables.columns import JsonValue, UtcDateTime

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

_MONTHS = [
    'acquired_at', 'predicted_at', 'status', 'manufacturer', 'manufacturer_model_name',
    'device_serial_number', 'model_name', 'model_version', 'quality_score', 'mean_deviation_db',
    'rnfl_mean_um',
]
_BATCH = 200


def upgrade() -> None:
    """Apply."""
    op.create_table('peer_echoes',
    sa.Column('ae_title', sa.String(), nullable=False),
    sa.Column('asked_at', UtcDateTime(), nullable=False),
    sa.Column('asked_by', sa.String(), nullable=False),
    sa.Column('finished_at', UtcDateTime(), nullable=True),
    sa.Column('seconds', sa.Float(), nullable=True),
    sa.Column('error', sa.String(), nullable=True),
    sa.PrimaryKeyConstraint('ae_title')
    )
    op.add_column('models', sa.Column('card', JsonValue, nullable=True))
    op.add_column('quarantine', sa.Column('dismissed_at', UtcDateTime(), nullable=True))
    op.add_column('quarantine', sa.Column('dismissed_by', sa.String(), nullable=True))
    op.add_column('predictions', sa.Column('rnfl_mean_um', sa.Float(), nullable=True))
    _fill_means()
    op.create_index('ix_predictions_months', 'predictions', _MONTHS)
    op.create_index('ix_shadow_predictions_newest', 'shadow_predictions', ['model_digest', 'id'])


def downgrade() -> None:
    """Take back."""
    op.drop_index('ix_shadow_predictions_newest', 'shadow_predictions')
    op.drop_index('ix_predictions_months', 'predictions')
    op.drop_column('predictions', 'rnfl_mean_um')
    op.drop_column('quarantine', 'dismissed_by')
    op.drop_column('quarantine', 'dismissed_at')
    op.drop_column('models', 'card')
    op.drop_table('peer_echoes')
    jobs = sa.table('jobs', sa.column('kind'))
    # What came before knows no such job, and could not read the list of them.
    op.execute(jobs.delete().where(jobs.c.kind == 'echo'))


def _fill_means() -> None:
    """What was estimated before belongs in the figures by month, too."""
    connection, last = op.get_bind(), ''
    predictions = sa.table(
        'predictions', sa.column('id'), sa.column('thickness_um', JsonValue),
        sa.column('rnfl_mean_um'))
    update = predictions.update().where(predictions.c.id == sa.bindparam('row')).values(
        rnfl_mean_um=sa.bindparam('mean'))
    while rows := connection.execute(
        sa.select(predictions.c.id, predictions.c.thickness_um)
        .where(predictions.c.id > last).order_by(predictions.c.id).limit(_BATCH)
    ).all():
        means = [{'row': key, 'mean': _mean(profile)} for key, profile in rows]
        if known := [one for one in means if one['mean'] is not None]:
            connection.execute(update, known)
        last = rows[-1][0]


def _mean(profile: Any) -> float | None:
    if not profile or any(value is None or not math.isfinite(value) for value in profile):
        return None
    mean: float = round(sum(profile) / len(profile), 6)
    return mean
