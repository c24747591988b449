"""Add the audit trail, and the triggers that keep it."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from core.tables.columns import JsonValue, UtcDateTime

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

_NOTHING = '0' * 64

#: Per table, event and what must not hold: each a condition on OLD or NEW.
_GUARDS = (
    ('audit_entries', 'UPDATE', '1 = 1'),
    # The marker of a purge comes before what goes.
    ('audit_entries', 'DELETE',
     'NOT EXISTS (SELECT 1 FROM audit_entries AS marker WHERE marker.purged_to >= OLD.number)'),
    # REPLACE removes without a DELETE.
    ('audit_entries', 'INSERT',
     'EXISTS (SELECT 1 FROM audit_entries AS known WHERE known.number = NEW.number)'),
    ('audit_waiting', 'UPDATE', '1 = 1'),
    ('audit_waiting', 'DELETE',
     'NOT EXISTS (SELECT 1 FROM audit_entries AS chained WHERE chained.receipt = OLD.id)'),
    ('audit_patients', 'UPDATE', '1 = 1'),
    ('audit_patients', 'DELETE',
     'EXISTS (SELECT 1 FROM audit_entries AS named WHERE named.number = OLD.number)'),
    ('audit_head', 'UPDATE', 'NEW.number <= OLD.number'),
    ('audit_head', 'DELETE', '1 = 1'),
)
_TABLES = ('audit_waiting', 'audit_entries', 'audit_patients', 'audit_head')
_REFUSAL = 'the audit trail is append-only'


def upgrade() -> None:
    """Apply."""
    op.create_table('audit_waiting',
    sa.Column('id', sa.Integer(), nullable=False),
    *_told(),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_table('audit_entries',
    *_told(),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('receipt', sa.Integer(), nullable=True),
    sa.Column('purged_to', sa.Integer(), nullable=True),
    sa.Column('keyed', sa.Boolean(), nullable=False),
    sa.Column('previous', sa.String(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('number'),
    sa.UniqueConstraint('receipt')
    )
    for column in ('at', 'actor', 'action'):
        op.create_index(f'ix_audit_entries_{column}', 'audit_entries', [column])
    op.create_table('audit_patients',
    sa.Column('patient_key', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('patient_key', 'number')
    )
    op.create_table('audit_head',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.execute(f"INSERT INTO audit_head (id, number, digest) VALUES (1, 0, '{_NOTHING}')")
    op.create_table('audit_collector',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=True),
    sa.Column('leased_by', sa.String(), nullable=False),
    sa.Column('lease_until', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.execute("INSERT INTO audit_collector (id, leased_by, lease_until) VALUES (1, '', 0)")
    _guard()


def downgrade() -> None:
    """Take back, the trail included: `arcuate audit export` first."""
    op.drop_table('audit_collector')
    is_postgresql = op.get_bind().dialect.name == 'postgresql'
    for table in reversed(_TABLES):
        op.drop_table(table)
    if is_postgresql:
        for table, event, _ in _GUARDS:
            op.execute(f'DROP FUNCTION {table}_{event.lower()}()')
        op.execute('DROP FUNCTION audit_truncate()')


def _told() -> list[sa.Column[Any]]:
    return [
        sa.Column('at', UtcDateTime(), nullable=False),
        sa.Column('actor', sa.String(), nullable=False),
        sa.Column('actor_role', sa.String(), nullable=False),
        sa.Column('address', sa.String(), nullable=False),
        sa.Column('action', sa.String(), nullable=False),
        sa.Column('object_kind', sa.String(), nullable=False),
        sa.Column('object_id', sa.String(), nullable=False),
        sa.Column('patients', JsonValue, nullable=False),
        sa.Column('outcome', sa.String(), nullable=False),
        sa.Column('detail', JsonValue, nullable=False),
    ]


def _guard() -> None:
    if op.get_bind().dialect.name == 'sqlite':
        for table, event, forbidden in _GUARDS:
            op.execute(
                f'CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} '
                f"WHEN {forbidden} BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
        return
    refuse = f"RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'"
    for table, event, forbidden in _GUARDS:
        row = 'OLD' if event == 'DELETE' else 'NEW'
        _function(f'{table}_{event.lower()}', f'IF {forbidden} THEN {refuse}; END IF; RETURN {row};')
        op.execute(
            f'CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} '
            f'FOR EACH ROW EXECUTE FUNCTION {table}_{event.lower()}()'
        )
    _function('audit_truncate', f'{refuse}; RETURN NULL;')
    for table in _TABLES:
        op.execute(
            f'CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} '
            'FOR EACH STATEMENT EXECUTE FUNCTION audit_truncate()'
        )


def _function(name: str, body: str) -> None:
    op.execute(
        f'CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$'
    )
