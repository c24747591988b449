"""Add several roles to a key, its end and use, sessions of an OpenID provider, wrong logins."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from core.tables.columns import JsonValue, UtcDateTime

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

#: How long sessions lasted that are there already.
SESSION_LIFE = timedelta(hours=12)


def upgrade() -> None:
    """Apply."""
    for table in ('keys', 'login_tokens', 'browser_sessions'):
        op.add_column(table, sa.Column('roles', JsonValue, server_default='[]', nullable=False))
    _fill_roles()
    # Column by column: SQLite would make the table anew for a batch, and others refer to its rows.
    op.drop_column('keys', 'role')
    op.add_column('keys', sa.Column('expires_at', UtcDateTime(), nullable=True))
    op.add_column('keys', sa.Column('last_used_at', UtcDateTime(), nullable=True))
    op.add_column('keys', sa.Column('last_used_from', sa.String(), server_default='', nullable=False))
    with op.batch_alter_table('login_tokens') as batch_op:
        batch_op.drop_column('role')
        batch_op.add_column(sa.Column('key_id', sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column('makes_administrator', sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.create_foreign_key('fk_login_tokens_key_id', 'keys', ['key_id'], ['id'])
        batch_op.create_index(batch_op.f('ix_login_tokens_key_id'), ['key_id'], unique=False)
    with op.batch_alter_table('browser_sessions') as batch_op:
        batch_op.add_column(sa.Column('name', sa.String(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('subject', sa.String(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('started_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('seen_at', UtcDateTime(), nullable=True))
    _fill_sessions()
    with op.batch_alter_table('browser_sessions') as batch_op:
        batch_op.alter_column('started_at', existing_type=UtcDateTime(), nullable=False)
        batch_op.alter_column('seen_at', existing_type=UtcDateTime(), nullable=False)
        batch_op.drop_column('role')
        batch_op.create_index(batch_op.f('ix_browser_sessions_subject'), ['subject'], unique=False)
    op.create_table('provider_logins',
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('browser', sa.String(), nullable=False),
    sa.Column('nonce', sa.String(), nullable=False),
    sa.Column('code_verifier', sa.String(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('state')
    )
    op.create_table('signed_out',
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('signed_out_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('subject')
    )
    op.create_table('login_failures',
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('first_failed_at', UtcDateTime(), nullable=False),
    sa.Column('last_failed_at', UtcDateTime(), nullable=False),
    sa.Column('paused_until', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('address')
    )


def downgrade() -> None:
    """Take back: of several roles the first stays; keys that have an end are refused at once."""
    op.drop_table('login_failures')
    op.drop_table('signed_out')
    op.drop_table('provider_logins')
    # An earlier version knows neither the sessions of a provider, nor the role, nor an end.
    op.execute("DELETE FROM browser_sessions WHERE subject <> ''")
    op.execute('DELETE FROM login_tokens')
    for table in ('keys', 'login_tokens', 'browser_sessions'):
        op.add_column(table, sa.Column('role', sa.String(), server_default='', nullable=False))
    _fill_role()
    for name in ('last_used_from', 'last_used_at', 'expires_at', 'roles'):
        op.drop_column('keys', name)
    with op.batch_alter_table('login_tokens') as batch_op:
        batch_op.drop_index(batch_op.f('ix_login_tokens_key_id'))
        batch_op.drop_constraint('fk_login_tokens_key_id', type_='foreignkey')
        for name in ('makes_administrator', 'key_id', 'roles'):
            batch_op.drop_column(name)
    with op.batch_alter_table('browser_sessions') as batch_op:
        batch_op.drop_index(batch_op.f('ix_browser_sessions_subject'))
        for name in ('seen_at', 'started_at', 'subject', 'name', 'roles'):
            batch_op.drop_column(name)


_KEYS = sa.table('keys', sa.column('id', sa.Integer()), sa.column('role', sa.String()),
                 sa.column('roles', JsonValue), sa.column('expires_at', UtcDateTime()),
                 sa.column('revoked_at', UtcDateTime()))
_TOKENS = sa.table('login_tokens', sa.column('digest', sa.String()), sa.column('role', sa.String()),
                   sa.column('roles', JsonValue))
_SESSIONS = sa.table('browser_sessions', sa.column('digest', sa.String()), sa.column('role', sa.String()),
                     sa.column('roles', JsonValue), sa.column('started_at', UtcDateTime()),
                     sa.column('seen_at', UtcDateTime()), sa.column('expires_at', UtcDateTime()))


def _fill_roles() -> None:
    bind = op.get_bind()
    for table in (_KEYS, _TOKENS, _SESSIONS):
        for (role,) in bind.execute(sa.select(table.c.role).distinct()).all():
            bind.execute(table.update().where(table.c.role == role).values(roles=[role]))


def _fill_sessions() -> None:
    bind = op.get_bind()
    for digest, expires_at in bind.execute(sa.select(_SESSIONS.c.digest, _SESSIONS.c.expires_at)).all():
        started_at = expires_at - SESSION_LIFE
        bind.execute(_SESSIONS.update().where(_SESSIONS.c.digest == digest)
                     .values(started_at=started_at, seen_at=started_at))


def _fill_role() -> None:
    bind = op.get_bind()
    for number, roles, expires_at, revoked_at in bind.execute(
        sa.select(_KEYS.c.id, _KEYS.c.roles, _KEYS.c.expires_at, _KEYS.c.revoked_at)
    ).all():
        role = next((name for name in roles if name != 'researcher'), None)
        values = {'role': role or 'viewer'}
        # Read as viewer, a researcher would see patients; and nothing would end a key that has an end.
        if revoked_at is None and (role is None or expires_at is not None):
            values['revoked_at'] = datetime.now(UTC)
        bind.execute(_KEYS.update().where(_KEYS.c.id == number).values(**values))
    for digest, roles in bind.execute(sa.select(_SESSIONS.c.digest, _SESSIONS.c.roles)).all():
        role = next((name for name in roles if name != 'researcher'), None)
        change = _SESSIONS.delete() if role is None else _SESSIONS.update().values(role=role)
        bind.execute(change.where(_SESSIONS.c.digest == digest))
