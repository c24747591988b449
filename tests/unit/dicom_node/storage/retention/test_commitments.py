from datetime import timedelta

from sqlmodel import col, select

from core.tables.commitments import CommitmentRow
from core.tables.jobs import JobKind, JobStatus
from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY
from dicom_node.storage.archive import Archive
from dicom_node.storage.commitments import CommitmentRequest, InstanceReference, record_request
from dicom_node.storage.retention.commitments import MEMORY, forget_commitments
from tests.builders.kept_study import NOW, end_job

LONG_AGO = NOW - MEMORY - timedelta(seconds=1)


def test_old_requests_are_forgotten_unless_their_job_is_at_work(archive: Archive) -> None:
    named = (InstanceReference(OPHTHALMIC_TOMOGRAPHY, "1.2.1.1.1"),)
    keys = {}
    for name, at in (("told", LONG_AGO), ("failed", LONG_AGO), ("waits", LONG_AGO), ("young", NOW)):
        request = CommitmentRequest("DEVICE1", "127.0.0.1", f"1.2.3.{len(keys)}", named)
        with archive.database.transaction() as session:
            keys[name] = record_request(session, request, at, 0.0)
    for name, status in (("told", JobStatus.DONE), ("failed", JobStatus.FAILED)):
        end_job(archive, JobKind.COMMIT, str(keys[name]), status)
    end_job(archive, JobKind.COMMIT, str(keys["young"]), JobStatus.DONE)

    assert forget_commitments(archive.database, NOW) == 2

    with archive.database.reading() as session:
        left = session.exec(select(CommitmentRow.id).order_by(col(CommitmentRow.id))).all()
    assert left == [keys["waits"], keys["young"]]
