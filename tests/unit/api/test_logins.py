from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from api.errors import LoginRefused
from api.logins import (
    LOGIN_TOKEN_LIFE,
    SESSION_LIFE,
    Caller,
    create_login_token,
    find_session,
    sign_in_with_key,
    sign_in_with_token,
    sign_out,
)
from core.database import Database
from core.keys import Role, create_key, revoke_key
from core.tables.logins import BrowserSessionRow, LoginTokenRow

_NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


def test_token_opens_one_session_and_no_second(database: Database) -> None:
    with database.transaction() as session:
        token = create_login_token(session, Role.OPERATOR)
    with database.transaction() as session:
        secret = sign_in_with_token(session, token)

    with database.reading() as session:
        assert find_session(session, secret) == Caller(
            "one-time link", Role.OPERATOR, has_session=True
        )
    with pytest.raises(LoginRefused), database.transaction() as session:
        sign_in_with_token(session, token)


def test_token_is_worthless_when_its_life_is_over(database: Database) -> None:
    with database.transaction() as session:
        token = create_login_token(session, clock=lambda: _NOW)

    with pytest.raises(LoginRefused), database.transaction() as session:
        sign_in_with_token(session, token, clock=lambda: _NOW + LOGIN_TOKEN_LIFE)


def test_token_and_session_are_kept_as_digests_only(database: Database) -> None:
    with database.transaction() as session:
        token = create_login_token(session)
        unused = create_login_token(session)
        secret = sign_in_with_token(session, token)

    with database.reading() as session:
        rows = [
            *session.exec(select(LoginTokenRow)).all(),
            *session.exec(select(BrowserSessionRow)).all(),
        ]
    assert len(rows) == 3
    kept = " ".join(str(row.model_dump()) for row in rows)
    assert [plain for plain in (token, unused, secret) if plain in kept] == []


def test_session_of_a_key_ends_when_the_key_is_revoked(database: Database) -> None:
    with database.transaction() as session:
        secret = sign_in_with_key(session, create_key(session, "one", Role.CLINICIAN))
    with database.reading() as session:
        assert find_session(session, secret) == Caller("one", Role.CLINICIAN, has_session=True)

    with database.transaction() as session:
        revoke_key(session, "one")

    with database.reading() as session:
        assert find_session(session, secret) is None


def test_session_ends_after_its_life(database: Database) -> None:
    with database.transaction() as session:
        key = create_key(session, "one")
        secret = sign_in_with_key(session, key, clock=lambda: _NOW)

    with database.reading() as session:
        last = _NOW + SESSION_LIFE - timedelta(seconds=1)
        assert find_session(session, secret, clock=lambda: last) is not None
        assert find_session(session, secret, clock=lambda: _NOW + SESSION_LIFE) is None


def test_session_ends_when_signed_out(database: Database) -> None:
    with database.transaction() as session:
        secret = sign_in_with_key(session, create_key(session, "one"))

    with database.transaction() as session:
        sign_out(session, secret)

    with database.reading() as session:
        assert find_session(session, secret) is None


def test_signing_in_clears_what_is_over(database: Database) -> None:
    later = _NOW + SESSION_LIFE + timedelta(hours=1)
    with database.transaction() as session:
        key = create_key(session, "one")
        create_login_token(session, clock=lambda: _NOW)
        sign_in_with_key(session, key, clock=lambda: _NOW)

    with database.transaction() as session:
        sign_in_with_key(session, key, clock=lambda: later)

    with database.reading() as session:
        assert len(session.exec(select(BrowserSessionRow)).all()) == 1
        assert session.exec(select(LoginTokenRow)).all() == []


@pytest.mark.parametrize("key", ["", "arcuate_unknown"])
def test_key_that_is_unknown_signs_nobody_in(database: Database, key: str) -> None:
    with pytest.raises(LoginRefused), database.transaction() as session:
        sign_in_with_key(session, key)
