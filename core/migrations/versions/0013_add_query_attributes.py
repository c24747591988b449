"""Add what queries look for, and the indexes they walk."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from core.values.person_name import FoldedName

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

_PATTERNS = [
    ('patients', 'patient_id'),
    ('patients', 'name_alphabetic'),
    ('patients', 'name_ideographic'),
    ('patients', 'name_phonetic'),
    ('studies', 'accession_number'),
    ('studies', 'study_id'),
    ('studies', 'referring_physician_folded'),
]
_INDEXES = [
    ('ix_patients_birth_date', 'patients', ['birth_date']),
    ('ix_series_modality', 'series', ['modality', 'study_key']),
    ('ix_instances_sop_class_uid', 'instances', ['sop_class_uid', 'id']),
]
_BATCH = 1000


def upgrade() -> None:
    """Apply."""
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    _fold_names()
    for table, name in _PATTERNS:
        op.create_index(
            f'ix_{table}_{name}_pattern', table, [name],
            postgresql_ops={name: 'text_pattern_ops'},
        )
    for name, table, names in _INDEXES:
        op.create_index(name, table, names)


def downgrade() -> None:
    """Take back."""
    for name, table, _ in reversed(_INDEXES):
        op.drop_index(name, table)
    for table, name in reversed(_PATTERNS):
        op.drop_index(f'ix_{table}_{name}_pattern', table)
    for table, columns in reversed(_columns().items()):
        for column in reversed(columns):
            op.drop_column(table, column.name)


def _fold_names() -> None:
    """Names that are there already must be found like those that come."""
    patients = sa.table('patients', *map(sa.column, (
        'id', 'name', 'name_alphabetic', 'name_ideographic', 'name_phonetic')))
    studies = sa.table('studies', *map(sa.column, (
        'id', 'referring_physician_name', 'referring_physician_folded')))
    _rewrite(patients, patients.c.name, lambda name: {
        'name_alphabetic': name.alphabetic,
        'name_ideographic': name.ideographic,
        'name_phonetic': name.phonetic,
    })
    _rewrite(studies, studies.c.referring_physician_name, lambda name: {
        'referring_physician_folded': name.main})


def _rewrite(
    table: sa.TableClause,
    source: sa.ColumnClause[Any],
    columns: Callable[[FoldedName], dict[str, str]],
) -> None:
    connection, last = op.get_bind(), 0
    update = table.update().where(table.c.id == sa.bindparam('row'))
    while rows := connection.execute(
        sa.select(table.c.id, source).where(table.c.id > last, source != '')
        .order_by(table.c.id).limit(_BATCH)
    ).all():
        values = [{'row': key, **columns(FoldedName.of(name))} for key, name in rows]
        names = list(columns(FoldedName.of('')))
        connection.execute(
            update.values({name: sa.bindparam(name) for name in names}), values)
        last = rows[-1][0]


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False, server_default='')


def _columns() -> dict[str, list[sa.Column[Any]]]:
    return {
        'patients': [
            _text('name_alphabetic'),
            _text('name_ideographic'),
            _text('name_phonetic'),
        ],
        'studies': [_text('referring_physician_folded')],
        'series': [
            sa.Column('series_date', sa.Date(), nullable=True),
            _text('series_time'),
            sa.Column('step_start_date', sa.Date(), nullable=True),
            _text('step_start_time'),
            _text('scheduled_procedure_step_ids'),
            _text('requested_procedure_ids'),
        ],
        'instances': [
            sa.Column('number_of_frames', sa.Integer(), nullable=True),
            sa.Column('pixel_rows', sa.Integer(), nullable=True),
            sa.Column('pixel_columns', sa.Integer(), nullable=True),
            sa.Column('content_date', sa.Date(), nullable=True),
            _text('content_time'),
            _text('completion_flag'),
            _text('verification_flag'),
            _text('concept_name'),
        ],
    }
