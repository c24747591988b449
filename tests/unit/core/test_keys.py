import pytest
from sqlmodel import select

from core.database import Database
from core.errors import RecordNotFound
from core.keys import KeyNameTaken, Role, create_key, find_key, list_keys, revoke_key
from core.tables.keys import KeyRow


def test_key_is_found_again_with_its_role(database: Database) -> None:
    with database.transaction() as session:
        key = create_key(session, "viewer of the clinic", Role.CLINICIAN)

    with database.reading() as session:
        found = find_key(session, key)

    assert found is not None
    assert (found.name, found.role) == ("viewer of the clinic", "clinician")


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
