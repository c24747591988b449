from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlmodel import select

from core import ledger
from core.database import Database
from core.errors import RecordNotFound
from core.tables.commitments import CommitmentRow
from core.tables.jobs import JobKind, JobRow
from dicom_node.errors import ActionTooLarge
from dicom_node.storage.commitments import (
    MAXIMUM_WAITING,
    CommitmentRequest,
    InstanceReference,
    is_reported,
    load_request,
    record_request,
    settle_request,
)

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
INSTANCES = (InstanceReference("1.2", "1.3"), InstanceReference("1.2", "1.4"))
REQUEST = CommitmentRequest("DEVICE1", "10.0.0.7", "1.2.3", INSTANCES)


def record(database: Database, request: CommitmentRequest = REQUEST, delay: float = 0.0) -> int:
    with database.transaction() as session:
        return record_request(session, request, NOW, delay)


def load(database: Database, key: int) -> CommitmentRequest:
    with database.reading() as session:
        return load_request(session, key)


def subjects(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.exec(select(JobRow.subject).where(JobRow.kind == JobKind.COMMIT)))


def settle(database: Database, key: int) -> None:
    with database.transaction() as session:
        settle_request(session, key, NOW, failed_count=1)


def finish_job(database: Database) -> None:
    with database.transaction() as session:
        [claimed] = ledger.claim(session, JobKind.COMMIT, "worker", 10, 60)
        ledger.finish(session, claimed)


def test_a_request_is_recorded_with_its_job(database: Database) -> None:
    key = record(database)

    assert load(database, key) == REQUEST
    assert subjects(database) == [str(key)]


def test_a_job_that_stands_back_is_not_claimed_yet(database: Database) -> None:
    record(database, delay=90.0)

    with database.transaction() as session:
        assert ledger.claim(session, JobKind.COMMIT, "worker", 10, 60) == []


def test_the_same_request_again_adds_nothing_while_its_job_waits(database: Database) -> None:
    key = record(database)

    assert record(database, replace(REQUEST, calling_address="10.0.0.8")) == key
    assert subjects(database) == [str(key)]
    assert load(database, key).calling_address == "10.0.0.8"


def test_the_same_request_after_its_report_is_reported_again(database: Database) -> None:
    key = record(database)
    settle(database, key)
    finish_job(database)

    assert record(database) == key

    assert subjects(database) == [str(key)] * 2
    with database.reading() as session:
        assert not is_reported(session, key)


def test_another_list_under_the_same_transaction_uid_is_a_duplicate(database: Database) -> None:
    first = record(database)
    other = replace(REQUEST, instances=INSTANCES[:1])

    second = record(database, other)

    assert second != first
    assert load(database, second) == replace(other, is_duplicate=True)
    assert record(database, other) == second
    assert not load(database, first).is_duplicate


def test_a_transaction_uid_of_another_peer_is_another_transaction(database: Database) -> None:
    record(database)
    other = replace(REQUEST, calling_ae_title="DEVICE2", instances=INSTANCES[:1])

    assert not load(database, record(database, other)).is_duplicate


def test_a_settled_request_knows_how_many_failed(database: Database) -> None:
    key = record(database)
    settle(database, key)

    with database.reading() as session:
        row = session.exec(select(CommitmentRow)).one()
        assert is_reported(session, key)
    assert (row.reported_at, row.failed_count) == (NOW, 1)


def test_one_peer_cannot_fill_the_ledger(database: Database) -> None:
    with database.transaction() as session:
        for number in range(MAXIMUM_WAITING):
            row = CommitmentRow(
                calling_ae_title="DEVICE1",
                calling_address="",
                transaction_uid=f"1.2.{number}",
                instances=[],
                requested_at=NOW,
            )
            session.add(row)
            session.flush()
            ledger.enqueue(session, JobKind.COMMIT, str(row.id))

    with pytest.raises(ActionTooLarge, match="Too many requests wait"):
        record(database)
    assert record(database, replace(REQUEST, calling_ae_title="DEVICE2"))


def test_an_unknown_request_says_so(database: Database) -> None:
    with database.reading() as session, pytest.raises(RecordNotFound, match="storage commitment"):
        load_request(session, 7)
