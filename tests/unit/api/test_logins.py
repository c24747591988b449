from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from api.caller import Caller, Proof
from api.errors import AdministratorExists, LoginRefused
from api.logins import (
    LOGIN_TOKEN_LIFE,
    create_first_link,
    create_link,
    create_login_token,
    makes_administrator,
    sign_in_with_key,
    sign_in_with_token,
)
from api.sessions import SessionLife, find_session
from core.database import Database
from core.errors import RecordNotFound
from core.keys import KeyNameTaken, Role, create_key, find_key, revoke_key
from core.tables.logins import BrowserSessionRow, LoginTokenRow

_NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
_LIFE = SessionLife()


def _signed_in(database: Database, secret: str) -> Caller | None:
    with database.reading() as session:
        found = find_session(session, secret, _LIFE)
    return found[0] if found else None


def test_token_opens_one_session_and_no_second(database: Database) -> None:
    with database.transaction() as session:
        token = create_login_token(session, Role.OPERATOR)
    with database.transaction() as session:
        secret = sign_in_with_token(session, token, _LIFE).secret

    assert _signed_in(database, secret) == Caller(
        "one-time link", frozenset({Role.OPERATOR}), Proof.SESSION
    )
    with pytest.raises(LoginRefused), database.transaction() as session:
        sign_in_with_token(session, token, _LIFE)


def test_token_is_worthless_when_its_life_is_over(database: Database) -> None:
    with database.transaction() as session:
        token = create_login_token(session, clock=lambda: _NOW)

    with pytest.raises(LoginRefused), database.transaction() as session:
        sign_in_with_token(session, token, _LIFE, clock=lambda: _NOW + LOGIN_TOKEN_LIFE)


def test_token_and_session_are_kept_as_digests_only(database: Database) -> None:
    with database.transaction() as session:
        token = create_login_token(session)
        unused = create_login_token(session)
        secret = sign_in_with_token(session, token, _LIFE).secret

    with database.reading() as session:
        rows = [
            *session.exec(select(LoginTokenRow)).all(),
            *session.exec(select(BrowserSessionRow)).all(),
        ]
    assert len(rows) == 3
    kept = " ".join(str(row.model_dump()) for row in rows)
    assert [plain for plain in (token, unused, secret) if plain in kept] == []


def test_link_signs_the_holder_of_a_key_in(database: Database) -> None:
    with database.transaction() as session:
        create_key(session, "dr-ito", Role.CLINICIAN)
        token = create_link(session, "dr-ito")
        secret = sign_in_with_token(session, token, _LIFE).secret

    assert _signed_in(database, secret) == Caller(
        "dr-ito", frozenset({Role.CLINICIAN}), Proof.SESSION, "key:dr-ito"
    )


def test_link_is_worth_no_more_than_its_key(database: Database) -> None:
    with database.transaction() as session:
        create_key(session, "dr-ito", Role.CLINICIAN)
        token = create_link(session, "dr-ito")
        revoke_key(session, "dr-ito")

    with pytest.raises(RecordNotFound), database.transaction() as session:
        create_link(session, "dr-ito")
    with pytest.raises(LoginRefused), database.transaction() as session:
        sign_in_with_token(session, token, _LIFE)


def test_first_link_makes_an_administrator_with_a_key(database: Database) -> None:
    with database.transaction() as session:
        token = create_first_link(session)
        assert makes_administrator(session, token)
        signed_in = sign_in_with_token(session, token, _LIFE, "Ada")

    administrator = _signed_in(database, signed_in.secret)
    assert administrator == Caller("Ada", frozenset({Role.ADMINISTRATOR}), Proof.SESSION, "key:Ada")
    with database.reading() as session:
        row = find_key(session, signed_in.key)
    assert row is not None
    assert (row.name, row.roles) == ("Ada", ["administrator"])


def test_there_is_one_first_administrator(database: Database) -> None:
    with database.transaction() as session:
        tokens = [create_first_link(session) for _ in range(2)]
        sign_in_with_token(session, tokens[0], _LIFE, "Ada")

    with pytest.raises(LoginRefused), database.transaction() as session:
        sign_in_with_token(session, tokens[1], _LIFE, "Eve")
    with pytest.raises(AdministratorExists), database.transaction() as session:
        create_first_link(session)


def test_name_that_is_taken_uses_up_no_link(database: Database) -> None:
    with database.transaction() as session:
        create_key(session, "Ada")
        token = create_first_link(session)

    with pytest.raises(KeyNameTaken), database.transaction() as session:
        sign_in_with_token(session, token, _LIFE, "Ada")
    with database.transaction() as session:
        assert sign_in_with_token(session, token, _LIFE, "Bea").key


def test_signing_in_clears_what_is_over(database: Database) -> None:
    later = _NOW + _LIFE.whole + timedelta(hours=1)
    with database.transaction() as session:
        key = create_key(session, "one")
        create_login_token(session, clock=lambda: _NOW)
        sign_in_with_key(session, key, _LIFE, clock=lambda: _NOW)

    with database.transaction() as session:
        sign_in_with_key(session, key, _LIFE, clock=lambda: later)

    with database.reading() as session:
        assert len(session.exec(select(BrowserSessionRow)).all()) == 1
        assert session.exec(select(LoginTokenRow)).all() == []


@pytest.mark.parametrize("key", ["", "arcuate_unknown", "\udc80"])
def test_key_that_is_unknown_signs_nobody_in(database: Database, key: str) -> None:
    with pytest.raises(LoginRefused), database.transaction() as session:
        sign_in_with_key(session, key, _LIFE)
