from datetime import UTC, datetime, timedelta

from api.caller import Caller, Proof
from api.logins import sign_in_with_key
from api.sessions import (
    Holder,
    SessionLife,
    find_session,
    open_session,
    sessions_beside,
    sign_out,
    sign_out_by_name,
    sign_out_everywhere,
    signed_out_at,
    touch_session,
)
from core.database import Database
from core.keys import Role, create_key, digest, revoke_key

_NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
_LIFE = SessionLife(timedelta(hours=12), timedelta(hours=1))
_SECOND = timedelta(seconds=1)
_ANN = Holder(frozenset({Role.CLINICIAN}), name="Dr. Ann", subject="4711")


def _sign_in(database: Database, holder: Holder, now: datetime = _NOW) -> str:
    with database.transaction() as session:
        return open_session(session, holder, _LIFE, now)


def _is_open(database: Database, secret: str, now: datetime = _NOW) -> bool:
    with database.reading() as session:
        return find_session(session, secret, _LIFE, lambda: now) is not None


def test_session_tells_whom_the_provider_vouched_for(database: Database) -> None:
    secret = _sign_in(database, _ANN)

    with database.reading() as session:
        found = find_session(session, secret, _LIFE, lambda: _NOW)

    assert found is not None
    assert found[0] == Caller("Dr. Ann", _ANN.roles, Proof.SESSION, "4711")


def test_session_of_a_key_ends_when_the_key_is_revoked(database: Database) -> None:
    with database.transaction() as session:
        key = create_key(session, "one", Role.CLINICIAN)
        secret = sign_in_with_key(session, key, _LIFE, lambda: _NOW).secret
    assert _is_open(database, secret)

    with database.transaction() as session:
        revoke_key(session, "one")

    assert not _is_open(database, secret)


def test_session_of_a_key_ends_with_the_key(database: Database) -> None:
    end = _NOW + timedelta(minutes=10)
    with database.transaction() as session:
        key = create_key(session, "one", expires_at=end)
        secret = sign_in_with_key(session, key, _LIFE, lambda: _NOW).secret

    assert _is_open(database, secret, end - _SECOND)
    assert not _is_open(database, secret, end)


def test_session_that_nobody_uses_ends(database: Database) -> None:
    secret = _sign_in(database, _ANN)

    assert _is_open(database, secret, _NOW + _LIFE.idle - _SECOND)
    assert not _is_open(database, secret, _NOW + _LIFE.idle)


def test_session_ends_after_its_life_however_much_it_is_used(database: Database) -> None:
    secret = _sign_in(database, _ANN)
    last = _NOW + _LIFE.whole - _SECOND
    with database.transaction() as session:
        row = sessions_beside(session, secret, _LIFE, lambda: _NOW)[0]
        touch_session(session, row, last)

    assert _is_open(database, secret, last)
    assert not _is_open(database, secret, _NOW + _LIFE.whole)


def test_session_ends_when_signed_out(database: Database) -> None:
    secrets = [_sign_in(database, _ANN) for _ in range(2)]

    with database.transaction() as session:
        sign_out(session, secrets[0])

    assert [_is_open(database, secret) for secret in secrets] == [False, True]


def test_signing_out_everywhere_ends_the_sessions_of_one_person(database: Database) -> None:
    other = Holder(frozenset({Role.VIEWER}), name="Ben", subject="4712")
    secrets = [_sign_in(database, holder) for holder in (_ANN, _ANN, other)]
    with database.reading() as session:
        beside = sessions_beside(session, secrets[0], _LIFE, lambda: _NOW)

    with database.transaction() as session:
        ended = sign_out_everywhere(session, secrets[0], lambda: _NOW)

    assert {row.digest for row in beside} == {digest(secret) for secret in secrets[:2]}
    assert ended == 2
    assert [_is_open(database, secret) for secret in secrets] == [False, False, True]
    with database.reading() as session:
        assert signed_out_at(session, "4711") == _NOW
        assert signed_out_at(session, "4712") is None


def test_administrator_signs_others_out_by_name(database: Database) -> None:
    with database.transaction() as session:
        key = create_key(session, "one")
        of_key = sign_in_with_key(session, key, _LIFE, lambda: _NOW).secret
    of_provider = _sign_in(database, _ANN)

    with database.transaction() as session:
        ended = [sign_out_by_name(session, name, lambda: _NOW) for name in ("one", "4711", "x")]

    assert ended == [1, 1, 0]
    assert not _is_open(database, of_key)
    assert not _is_open(database, of_provider)
