from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from core.database import Database
from core.errors import RecordNotFound
from core.keys import (
    KeyNameTaken,
    Role,
    create_key,
    find_key,
    has_administrator,
    list_keys,
    revoke_key,
    roles_of,
)
from core.tables.keys import KeyRow

_NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ((), ["viewer"]),
        ((Role.CLINICIAN,), ["clinician"]),
        ((Role.RESEARCHER, Role.CLINICIAN, Role.CLINICIAN), ["clinician", "researcher"]),
    ],
)
def test_key_is_found_again_with_its_roles(
    database: Database, given: tuple[Role, ...], kept: list[str]
) -> None:
    with database.transaction() as session:
        key = create_key(session, "of the clinic", *given)

    with database.reading() as session:
        found = find_key(session, key)

    assert found is not None
    assert (found.name, found.roles) == ("of the clinic", kept)
    assert roles_of(found.roles) == frozenset(given or (Role.VIEWER,))


def test_key_is_refused_from_its_end_on(database: Database) -> None:
    end = _NOW + timedelta(days=30)
    with database.transaction() as session:
        key = create_key(session, "one", created_at=_NOW, expires_at=end)

    with database.reading() as session:
        assert find_key(session, key, end - timedelta(seconds=1)) is not None
        assert find_key(session, key, end) is None


def test_administrator_is_who_holds_a_key_that_may_be_used(database: Database) -> None:
    end = _NOW + timedelta(days=1)
    with database.transaction() as session:
        create_key(session, "operator", Role.OPERATOR)
        create_key(session, "former", Role.ADMINISTRATOR)
        revoke_key(session, "former")
        create_key(session, "for a day", Role.CLINICIAN, Role.ADMINISTRATOR, expires_at=end)

    with database.reading() as session:
        assert has_administrator(session, _NOW)
        assert not has_administrator(session, end)


def test_key_itself_is_not_kept(database: Database) -> None:
    with database.transaction() as session:
        key = create_key(session, "one")

    with database.reading() as session:
        kept = session.exec(select(KeyRow)).one().model_dump()

    assert [name for name, value in kept.items() if key in str(value)] == []


def test_key_that_is_unknown_is_not_found(database: Database) -> None:
    with database.transaction() as session:
        key = create_key(session, "one")

    with database.reading() as session:
        assert find_key(session, key[:-1]) is None
        assert find_key(session, "") is None


def test_key_that_is_revoked_is_not_found_but_listed(database: Database) -> None:
    with database.transaction() as session:
        key = create_key(session, "one")
        create_key(session, "two")
    with database.transaction() as session:
        revoke_key(session, "one")

    with database.reading() as session:
        assert find_key(session, key) is None
        assert [(row.name, row.revoked_at is None) for row in list_keys(session)] == [
            ("one", False),
            ("two", True),
        ]


def test_key_name_is_taken_once(database: Database) -> None:
    with database.transaction() as session:
        create_key(session, "one")

    with pytest.raises(KeyNameTaken), database.transaction() as session:
        create_key(session, "one")


def test_revoking_an_unknown_key_says_so(database: Database) -> None:
    with pytest.raises(RecordNotFound, match="keys list"), database.transaction() as session:
        revoke_key(session, "none")
