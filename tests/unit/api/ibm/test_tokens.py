import base64
import json
from collections.abc import Callable
from time import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlmodel import select

from api.errors import TokenRefused
from api.ibm.tokens import LIFE, is_ours, issue_token, key_with_token
from api.sessions import SessionLife, find_session, sign_out_by_name
from core.clock import utc_now
from core.database import Database
from core.keys import create_key, key_named, revoke_key
from core.tables.keys import KeyRow
from core.tables.logins import BrowserSessionRow

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
_NAME = "Praxis O~?>ö / 3"


@pytest.fixture
def key(database: Database) -> KeyRow:
    with database.transaction() as session:
        create_key(session, _NAME)
        return key_named(session, _NAME)


def issue(database: Database, key: KeyRow, clock: Callable[[], float] = time) -> str:
    with database.transaction() as session:
        return issue_token(session, key, clock).token


def as_the_client_reads(token: str) -> dict[str, Any]:
    """Decode as both clients do: a decoder that drops what is not of plain base64."""
    return dict(json.loads(base64.b64decode(token.split(".")[1] + "===").decode(errors="ignore")))


def test_the_clients_read_when_a_token_ends(database: Database, key: KeyRow) -> None:
    now = utc_now().timestamp()
    token = issue(database, key, lambda: now)

    claims = as_the_client_reads(token)
    assert len(token.split(".")) == 3
    assert set(claims) >= {"sub", "username", "uid", "exp"}
    assert claims["exp"] - now > 50 * 60 + 3600
    assert set(token.split(".")[1]).isdisjoint("-_")


def test_a_token_stands_for_its_key(database: Database, key: KeyRow) -> None:
    token = issue(database, key)
    with database.reading() as session:
        assert key_with_token(session, token).name == _NAME
    assert is_ours(token)


@pytest.mark.parametrize("other", ["", "x", "a.b.c", "arcuate_key", "x" * 10_000, "é.é.é"])
def test_other_texts_are_no_tokens_of_ours(database: Database, other: str) -> None:
    assert not is_ours(other)
    with pytest.raises(TokenRefused), database.reading() as session:
        key_with_token(session, other)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "HS256", "kid": "1"},
        {"alg": "HS256", "kid": "999"},
        {"alg": "HS256", "kid": "1 OR 1=1"},
        {"alg": "HS256"},
    ],
)
def test_a_token_that_others_signed_is_refused(
    database: Database, key: KeyRow, header: dict[str, Any]
) -> None:
    whole = {**header, "typ": "arcuate+jwt"}
    token = jwt.encode(whole, {"exp": 2**40}, OctKey.import_key("another" * 8))
    assert (is_ours(token), key.id) == (True, 1)
    refuse(database, token)


def test_a_token_that_is_changed_or_not_signed_is_refused(database: Database, key: KeyRow) -> None:
    header, claims, signature = issue(database, key).split(".")
    later = _encoded({"exp": 2**40})
    unsigned = _encoded({"alg": "none", "typ": "arcuate+jwt"})

    refuse(database, f"{header}.{later}.{signature}")
    refuse(database, f"{header}.{claims}.{signature[:-4]}AAAA")
    refuse(database, f"{unsigned}.{claims}.")


def test_what_the_database_keeps_makes_no_token(database: Database, key: KeyRow) -> None:
    issue(database, key)
    with database.reading() as session:
        [kept] = session.exec(select(BrowserSessionRow)).all()
    header = {"alg": "HS256", "typ": "arcuate+jwt", "kid": str(key.id)}
    for known in (key.digest, kept.digest):
        for secret in (known, f"token:{known}"):
            claims = {"exp": 2**40, "uid": str(key.id), "jti": known}
            refuse(database, jwt.encode(header, claims, OctKey.import_key(secret)))


def test_a_token_is_no_session_and_its_holder_cannot_prolong_it(
    database: Database, key: KeyRow
) -> None:
    made = issue(database, key)
    secret = as_the_client_reads(made)["jti"]
    late = jwt.encode(
        {"alg": "HS256", "typ": "arcuate+jwt"},
        {"exp": 2**40, "jti": secret},
        OctKey.import_key(f"token:{secret}"),
    )

    with database.reading() as session:
        assert find_session(session, secret, SessionLife()) is None
        with pytest.raises(TokenRefused, match="expired"):
            key_with_token(session, late, lambda: time() + LIFE.total_seconds() + 1)


def test_tokens_end_where_their_holder_is_signed_out(database: Database, key: KeyRow) -> None:
    token = issue(database, key)
    with database.transaction() as session:
        assert sign_out_by_name(session, _NAME) == 1

    refuse(database, token)


def test_tokens_that_ended_are_kept_no_longer(database: Database, key: KeyRow) -> None:
    issue(database, key, lambda: 0)
    issue(database, key)

    with database.reading() as session:
        assert len(session.exec(select(BrowserSessionRow)).all()) == 1


def test_a_token_that_is_too_old_is_refused(database: Database, key: KeyRow) -> None:
    refused = refuse(database, issue(database, key, lambda: 0))

    assert not refused.is_forged
    assert "authorize again" in str(refused)


def test_a_token_ends_with_its_key(database: Database, key: KeyRow) -> None:
    token = issue(database, key)
    with database.transaction() as session:
        revoke_key(session, _NAME)

    with pytest.raises(TokenRefused, match="revoked") as refused, database.reading() as session:
        key_with_token(session, token)
    assert not refused.value.is_forged


def refuse(database: Database, token: str) -> TokenRefused:
    with pytest.raises(TokenRefused) as refused, database.reading() as session:
        key_with_token(session, token)
    return refused.value


def _encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
