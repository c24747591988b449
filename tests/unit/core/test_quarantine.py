from datetime import UTC, datetime, timedelta

import pytest

from core.database import Database
from core.errors import RecordNotFound
from core.quarantine import BytesNotKept, dismiss_aside, find_aside, kept_key
from core.tables.quarantine import QuarantineRow

_AT = datetime(2026, 3, 4, 9, tzinfo=UTC)


def _row(size_bytes: int = 10) -> QuarantineRow:
    return QuarantineRow(
        code="invalid_instance",
        message="No study",
        storage_key="ab/x.dcm",
        size_bytes=size_bytes,
        digest="ab",
        received_at=_AT,
    )


def test_first_dismissal_stands(database: Database) -> None:
    with database.transaction() as session:
        session.add(_row())
    for who, at in (("anna", _AT), ("ben", _AT + timedelta(days=1))):
        with database.transaction() as session:
            dismiss_aside(session, 1, who, at)

    with database.reading() as session:
        row = find_aside(session, 1)
    assert (row.dismissed_by, row.dismissed_at) == ("anna", _AT)


def test_what_is_not_there_is_not_found(database: Database) -> None:
    with database.transaction() as session, pytest.raises(RecordNotFound):
        dismiss_aside(session, 5, "anna", _AT)


def test_refusal_that_kept_no_bytes_has_none_to_download() -> None:
    assert kept_key(_row()) == "ab/x.dcm"
    with pytest.raises(BytesNotKept):
        kept_key(_row(0))
