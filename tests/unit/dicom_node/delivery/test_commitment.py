import threading
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import BinaryIO

import pytest
from sqlmodel import select

from core import ledger
from core.database import Database
from core.errors import RecordNotFound
from core.ledger import Claim
from core.settings import Settings
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.worker import Worker
from dicom_node.delivery.commitment import CommitmentStep
from dicom_node.errors import StorageAway
from dicom_node.peers import add_peer
from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY
from dicom_node.storage.archive import Archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.commitments import (
    CommitmentRequest,
    InstanceReference,
    record_request,
    settle_request,
)
from dicom_node.storage.ingest import ingest
from tests.builders.encoded_instance import encode_instance
from tests.builders.received import open_test_archive
from tests.fixtures.commitment_device import Device

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
KEPT = InstanceReference(OPHTHALMIC_TOMOGRAPHY, "1.2.3.1.1.1")


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    return open_test_archive(settings, database)


def step_of(archive: Archive, lease_seconds: float = 60.0) -> CommitmentStep:
    return CommitmentStep(archive.database, archive.storage, "ARCUATE", lease_seconds)


def record(database: Database, port: int | None, *instances: InstanceReference) -> int:
    with database.transaction() as session:
        add_peer(session, "DEVICE1", "127.0.0.1", port)
        request = CommitmentRequest("DEVICE1", "127.0.0.1", "1.2.3", instances or (KEPT,))
        return record_request(session, request, NOW, 0.0)


def job(database: Database) -> JobRow:
    with database.reading() as session:
        return session.exec(select(JobRow).where(JobRow.kind == JobKind.COMMIT)).one()


def work(archive: Archive, settings: Settings, lease_seconds: float = 60.0) -> None:
    held = settings.model_copy(update={"lease_seconds": lease_seconds})
    step = step_of(archive, lease_seconds)
    Worker(archive.database, held, step, threading.Event()).run_once()


def test_what_the_receiver_reported_is_done_and_not_reported_again(
    archive: Archive, database: Database, settings: Settings
) -> None:
    device = Device()
    with device.listening() as port:
        key = record(database, port)
        with database.transaction() as session:
            settle_request(session, key, NOW, 0)
        work(archive, settings)

    assert job(database).status == JobStatus.DONE
    assert device.reports.empty()


class WatchedStorage(Storage):
    """Notes until when the job is held, each time an object is opened."""

    def __init__(self, url: str, database: Database) -> None:
        super().__init__(url)
        self._database = database
        self.leases: list[float] = []

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        self.leases.append(job(self._database).lease_until or 0.0)
        return super().open(key)


def test_a_long_verification_keeps_its_job(
    archive: Archive, database: Database, settings: Settings
) -> None:
    second = InstanceReference(OPHTHALMIC_TOMOGRAPHY, "1.2.3.1.1.2")
    for uid in (KEPT.sop_instance_uid, second.sop_instance_uid):
        ingest(archive, encode_instance(SOPInstanceUID=uid))
    storage, device = WatchedStorage(settings.storage, database), Device()
    with device.listening() as port:
        record(database, port, KEPT, second)
        work(replace(archive, storage=storage), settings, lease_seconds=0.001)

    first_lease, second_lease = storage.leases
    assert second_lease > first_lease
    assert (job(database).status, job(database).attempts) == (JobStatus.DONE, 1)


def test_nobody_takes_a_job_while_its_peer_thinks_about_the_report(
    archive: Archive, database: Database, settings: Settings
) -> None:
    def claim_all() -> None:
        with database.transaction() as session:
            taken.extend(ledger.claim(session, JobKind.COMMIT, "another", 10, 60))

    taken: list[Claim] = []
    device = Device(while_hearing=claim_all)
    with device.listening() as port:
        record(database, port)
        work(archive, settings, lease_seconds=0.001)

    assert device.next_report().event_type == 2
    assert (taken, job(database).status) == ([], JobStatus.DONE)


def test_a_storage_that_is_away_costs_no_attempt(
    archive: Archive, database: Database, settings: Settings
) -> None:
    ingest(archive, encode_instance())
    device = Device()
    with device.listening() as port:
        record(database, port)
        archive.storage.root.rename(archive.storage.root.with_name("elsewhere"))
        with pytest.raises(StorageAway):
            work(archive, settings)

    assert (job(database).status, job(database).attempts) == (JobStatus.QUEUED, 0)
    assert device.reports.empty()


def test_a_peer_without_a_port_cannot_be_told(archive: Archive, database: Database) -> None:
    record(database, port=None)
    with database.transaction() as session:
        claims = ledger.claim(session, JobKind.COMMIT, "worker", 1, 60)

    with pytest.raises(RecordNotFound, match="DEVICE1 has no address to call"):
        step_of(archive).run(claims)
