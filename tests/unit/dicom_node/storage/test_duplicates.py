import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from pydicom.uid import JPEGBaseline8Bit
from sqlmodel import SQLModel, col, select

from arcuate.waiting import wait_until
from core import ledger
from core.changes import append_change
from core.clock import utc_now
from core.database import Database
from core.errors import NodeError
from core.ledger import LeaseLost
from core.predictions import record_prediction
from core.reviews import open_requests, record_review, request_review
from core.tables.changes import ChangeKind, ChangeRow
from core.tables.instances import InstanceOrigin, InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.tables.quarantine import QuarantineRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.values.prediction import PredictionStatus
from core.values.review import ReviewDecision, ReviewDraft
from dicom_node.errors import (
    HierarchyConflict,
    InstanceConflict,
    StorageFull,
)
from dicom_node.storage.archive import Archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.duplicate_policy import DuplicatePolicy
from dicom_node.storage.ingest import ingest
from dicom_node.storage.part10 import EncodedInstance
from dicom_node.storage.records import IngestOutcome
from tests.builders.at_once import ingest_at_once
from tests.builders.encoded_instance import encode_instance
from tests.builders.prediction import build_prediction
from tests.fixtures.waiting_transaction import is_anybody_waiting

FIRST = encode_instance()
OTHER = encode_instance(StudyDescription="changed", calling_ae_title="DEVICE2")
PHOTOGRAPH = "1.2.840.10008.5.1.4.1.1.77.1.5.1"
PHOTOGRAPH_OF_STUDY = {
    "SOPClassUID": PHOTOGRAPH,
    "SOPInstanceUID": "1.2.3.1.2.1",
    "SeriesInstanceUID": "1.2.3.1.2",
}


def under(policy: DuplicatePolicy) -> Callable[[Archive], Archive]:
    return lambda archive: replace(archive, duplicates=policy)


keeping_both = under(DuplicatePolicy.KEEP_BOTH)
replacing = under(DuplicatePolicy.REPLACE)


def rows(database: Database, table: type[SQLModel]) -> Sequence[Any]:
    with database.reading() as session:
        return session.exec(select(table)).all()


def kept_data_set(archive: Archive, database: Database) -> bytes:
    [row] = rows(database, InstanceRow)
    data_set = archive.storage.read(row.storage_key)[-row.size_bytes :]
    assert sha256(data_set).hexdigest() == row.digest
    return data_set


def quarantined(archive: Archive, database: Database) -> dict[str, bytes]:
    """Return the data set of each row by its cause, checked against the row."""
    found = {}
    for row in rows(database, QuarantineRow):
        found[row.code] = archive.quarantine.read(row.storage_key)[-row.size_bytes :]
        assert sha256(found[row.code]).hexdigest() == row.digest
    return found


def analyse(database: Database, instance_key: int) -> str:
    """Record a prediction as the analysis of the waiting job; return its id."""
    with database.transaction() as session:
        [claim] = ledger.claim(session, JobKind.ANALYSE, "worker", 1, 60)
    with database.transaction() as session:
        prediction = build_prediction(prediction_id=str(uuid4()))
        prediction_id = record_prediction(session, prediction, instance_key, None)
        session.get_one(InstanceRow, instance_key).outcome = InstanceOutcome.PREDICTED
        ledger.enqueue(session, JobKind.REPORT, prediction_id)
        ledger.finish(session, claim)
    return prediction_id


def jobs(database: Database, kind: JobKind) -> list[tuple[str, str]]:
    found = [(job.subject, job.status) for job in rows(database, JobRow) if job.kind == kind]
    return sorted(found)


def test_keep_both_keeps_the_first_as_the_record_and_the_other_aside(
    archive: Archive, database: Database
) -> None:
    first = ingest(archive, FIRST)

    outcome = ingest(keeping_both(archive), OTHER)

    assert outcome == replace(first, is_new=False)
    assert kept_data_set(archive, database) == FIRST.data_set
    assert quarantined(archive, database) == {"instance_kept_beside": OTHER.data_set}
    [row] = rows(database, QuarantineRow)
    assert (row.sop_instance_uid, row.calling_ae_title) == ("1.2.3.1.1.1", "DEVICE2")
    assert len(rows(database, JobRow)) == 1


def test_keep_both_is_no_success_without_room_for_the_other(archive: Archive) -> None:
    ingest(archive, FIRST)
    full = replace(keeping_both(archive), quarantine=Storage("file:///proc/nowhere"))

    with pytest.raises(NodeError):
        ingest(full, OTHER)


def test_the_same_other_content_again_is_kept_aside_once(
    archive: Archive, database: Database
) -> None:
    both = keeping_both(archive)
    ingest(both, FIRST)

    for _ in range(3):
        ingest(both, OTHER)

    assert len(rows(database, QuarantineRow)) == 1


def test_a_replacement_becomes_the_instance_and_the_former_stays_aside(
    archive: Archive, database: Database
) -> None:
    first = ingest(archive, FIRST)

    outcome = ingest(replacing(archive), OTHER)

    digest = sha256(OTHER.data_set).hexdigest()
    assert outcome == IngestOutcome(first.instance_key, "1.2.3.1.1.1", digest, is_new=True)
    assert kept_data_set(archive, database) == OTHER.data_set
    assert quarantined(archive, database) == {"instance_replaced": FIRST.data_set}
    [instance], [former] = rows(database, InstanceRow), rows(database, QuarantineRow)
    assert (instance.calling_ae_title, former.calling_ae_title) == ("DEVICE2", "DEVICE1")
    assert instance.received_at == former.received_at
    kinds = [change.kind for change in rows(database, ChangeRow)]
    assert kinds == [
        ChangeKind.INSTANCE_RECEIVED,
        ChangeKind.INSTANCE_QUARANTINED,
        ChangeKind.INSTANCE_REPLACED,
    ]


def test_a_replacement_corrects_what_is_said_of_patient_study_and_series(
    archive: Archive, database: Database
) -> None:
    ingest(archive, encode_instance(Laterality="R"))

    ingest(
        replacing(archive),
        encode_instance(
            Laterality="L", PatientBirthDate="19600302", AccessionNumber="A2", InstanceNumber=8
        ),
    )

    [patient], [study] = rows(database, PatientRow), rows(database, StudyRow)
    [series], [instance] = rows(database, SeriesRow), rows(database, InstanceRow)
    assert (patient.patient_id, str(patient.birth_date)) == ("P1", "1960-03-02")
    assert (study.accession_number, series.laterality) == ("A2", "L")
    assert instance.instance_number == "8"


def test_a_replacement_supersedes_the_prediction_and_is_analysed(
    archive: Archive, database: Database
) -> None:
    key = ingest(archive, FIRST).instance_key
    former = analyse(database, key)

    ingest(replacing(archive), OTHER)

    with database.reading() as session:
        row = session.get_one(PredictionRow, former)
        assert (row.status, row.superseded_by) == (PredictionStatus.SUPERSEDED, None)
        assert session.get_one(InstanceRow, key).outcome == InstanceOutcome.PENDING
    assert jobs(database, JobKind.ANALYSE) == [
        (str(key), JobStatus.DONE),
        (str(key), JobStatus.QUEUED),
    ]
    # The report of a result that stands no more would be built from the new scan.
    assert jobs(database, JobKind.REPORT) == [(former, JobStatus.DONE)]
    later = analyse(database, key)
    with database.reading() as session:
        assert session.get_one(PredictionRow, former).superseded_by == later
        assert session.get_one(PredictionRow, later).status == PredictionStatus.FINAL


def test_a_review_of_what_is_replaced_is_neither_waited_for_nor_reported(
    archive: Archive, database: Database
) -> None:
    key = ingest(archive, FIRST).instance_key
    former = analyse(database, key)
    now = utc_now()
    with database.transaction() as session:
        record_review(session, former, ReviewDraft(ReviewDecision.ACCEPT, "dr-ito"), now)
        request_review(session, former, "dr-abe", "Please look again.", now)

    ingest(replacing(archive), OTHER)

    with database.reading() as session:
        # An open request would hold the study for ever: nobody can review it any more.
        assert open_requests(session, [former]) == {}
        told = [(c.kind, c.subject) for c in session.exec(select(ChangeRow)).all()]
    assert ("review_withdrawn", former) in told
    assert [status for _, status in jobs(database, JobKind.REPORT_REVIEW)] == [JobStatus.DONE]


def test_an_analysis_under_way_does_not_record_the_former_content(
    archive: Archive, database: Database
) -> None:
    key = ingest(archive, FIRST).instance_key
    with database.transaction() as session:
        [claim] = ledger.claim(session, JobKind.ANALYSE, "worker", 1, 60)

    ingest(replacing(archive), OTHER)

    with pytest.raises(LeaseLost), database.transaction() as session:
        record_prediction(session, build_prediction(), key, None)
        ledger.finish(session, claim)
    assert rows(database, PredictionRow) == []
    assert jobs(database, JobKind.ANALYSE) == [(str(key), JobStatus.QUEUED)]


def test_a_failed_analysis_gets_fresh_attempts_with_the_new_content(
    archive: Archive, database: Database
) -> None:
    ingest(archive, FIRST)
    with database.transaction() as session:
        [claim] = ledger.claim(session, JobKind.ANALYSE, "worker", 1, 60)
        ledger.fail(session, claim, "broken", retry=False, maximum_attempts=3)

    ingest(replacing(archive), OTHER)

    [job] = rows(database, JobRow)
    assert (job.status, job.attempts, job.error) == (JobStatus.QUEUED, 0, None)


def test_a_scan_is_analysed_again_when_a_photograph_of_its_study_is_replaced(
    archive: Archive, database: Database
) -> None:
    scan = ingest(archive, FIRST).instance_key
    former = analyse(database, scan)
    ingest(archive, encode_instance(**PHOTOGRAPH_OF_STUDY))

    ingest(replacing(archive), encode_instance(**PHOTOGRAPH_OF_STUDY, ImageLaterality="L"))

    with database.reading() as session:
        assert session.get_one(PredictionRow, former).status == PredictionStatus.SUPERSEDED
        assert session.get_one(InstanceRow, scan).outcome == InstanceOutcome.PENDING
    assert (str(scan), JobStatus.QUEUED) in jobs(database, JobKind.ANALYSE)


def test_the_result_of_a_scan_without_bytes_stands_when_a_photograph_is_replaced(
    archive: Archive, database: Database
) -> None:
    scan = ingest(archive, FIRST).instance_key
    former = analyse(database, scan)
    ingest(archive, encode_instance(**PHOTOGRAPH_OF_STUDY))
    with database.transaction() as session:
        session.get_one(InstanceRow, scan).bytes_removed_at = utc_now()

    ingest(replacing(archive), encode_instance(**PHOTOGRAPH_OF_STUDY, ImageLaterality="L"))

    with database.reading() as session:
        assert session.get_one(PredictionRow, former).status == PredictionStatus.FINAL
        assert session.get_one(InstanceRow, scan).outcome == InstanceOutcome.PREDICTED
    assert (str(scan), JobStatus.QUEUED) not in jobs(database, JobKind.ANALYSE)


def test_a_replacement_that_waits_for_a_row_keeps_nobody_from_the_next_number(
    archive: Archive, database: Database
) -> None:
    """Else the worker that has the row and wants a number, and this one, waited for each other."""
    if database.is_sqlite:
        pytest.skip("on SQLite whoever writes is alone")
    scan = ingest(archive, FIRST).instance_key
    analyse(database, scan)
    ingest(archive, encode_instance(**PHOTOGRAPH_OF_STUDY))
    newcomer = encode_instance(**PHOTOGRAPH_OF_STUDY, ImageLaterality="L")
    replacer = threading.Thread(target=ingest, args=(replacing(archive), newcomer))

    with database.transaction() as session:
        session.get_one(InstanceRow, scan, with_for_update=True)
        replacer.start()
        assert wait_until(lambda: is_anybody_waiting(database), 60)
        append_change(session, ChangeKind.PREDICTION_RECORDED, "p")
    replacer.join()

    kinds = [change.kind for change in rows(database, ChangeRow)]
    assert ChangeKind.INSTANCE_REPLACED in kinds


@pytest.mark.parametrize(
    ("newcomer", "error"),
    [
        (encode_instance(SeriesInstanceUID="1.2.3.1.9"), HierarchyConflict),
        (encode_instance(StudyInstanceUID="1.2.9"), HierarchyConflict),
        (encode_instance(SOPClassUID=PHOTOGRAPH), InstanceConflict),
        (replace(FIRST, transfer_syntax_uid=JPEGBaseline8Bit), InstanceConflict),
    ],
)
def test_what_is_no_correction_replaces_nothing(
    archive: Archive, database: Database, newcomer: EncodedInstance, error: type[NodeError]
) -> None:
    ingest(archive, FIRST)

    with pytest.raises(error):
        ingest(replacing(archive), newcomer)

    assert kept_data_set(archive, database) == FIRST.data_set
    assert list(quarantined(archive, database).values()) == [newcomer.data_set]
    assert len(list(archive.storage.root.rglob("*.dcm"))) == 1


@pytest.mark.parametrize("policy", [DuplicatePolicy.KEEP_BOTH, DuplicatePolicy.REPLACE])
def test_a_report_of_our_own_is_never_replaced(
    archive: Archive, database: Database, policy: DuplicatePolicy
) -> None:
    ingest(archive, FIRST)
    with database.transaction() as session:
        session.exec(select(InstanceRow)).one().origin = InstanceOrigin.PRODUCED

    if policy is DuplicatePolicy.REPLACE:
        with pytest.raises(InstanceConflict):
            ingest(replacing(archive), OTHER)
    else:
        ingest(keeping_both(archive), OTHER)

    assert kept_data_set(archive, database) == FIRST.data_set
    assert list(quarantined(archive, database).values()) == [OTHER.data_set]


def test_a_replacement_back_and_forth_ends_with_the_last(
    archive: Archive, database: Database
) -> None:
    for content in (FIRST, OTHER, FIRST, OTHER, FIRST):
        ingest(replacing(archive), content)

    assert kept_data_set(archive, database) == FIRST.data_set
    assert {row.digest for row in rows(database, QuarantineRow)} == {
        sha256(one.data_set).hexdigest() for one in (FIRST, OTHER)
    }


def test_a_replacement_mends_a_record_whose_bytes_are_gone(
    archive: Archive, database: Database
) -> None:
    ingest(archive, FIRST)
    [row] = rows(database, InstanceRow)
    archive.storage.delete(row.storage_key)

    ingest(replacing(archive), OTHER)

    assert kept_data_set(archive, database) == OTHER.data_set
    assert rows(database, QuarantineRow) == []


def test_a_replacement_that_does_not_commit_leaves_the_record(
    archive: Archive, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(archive, FIRST)

    def full(*_arguments: object) -> None:
        raise StorageFull

    with monkeypatch.context() as patch:
        patch.setattr("dicom_node.storage.replacement.append_change", full)
        with pytest.raises(StorageFull):
            ingest(replacing(archive), OTHER)

    assert kept_data_set(archive, database) == FIRST.data_set
    assert rows(database, QuarantineRow) == []
    assert ingest(replacing(archive), OTHER).is_new


@pytest.mark.parametrize("policy", DuplicatePolicy)
def test_many_contents_of_one_uid_at_once_are_settled(
    archive: Archive, database: Database, policy: DuplicatePolicy
) -> None:
    contents = [encode_instance(StudyDescription=str(number)) for number in range(4)]

    results = ingest_at_once(under(policy)(archive), contents)

    codes = {
        DuplicatePolicy.REFUSE: "instance_conflict",
        DuplicatePolicy.KEEP_BOTH: "instance_kept_beside",
        DuplicatePolicy.REPLACE: "instance_replaced",
    }
    refused = Counter(result for result in results if not isinstance(result, IngestOutcome))
    assert refused == ({InstanceConflict: 3} if policy is DuplicatePolicy.REFUSE else {})
    # Whatever stands, every one of them is there whole.
    kept = kept_data_set(archive, database)
    aside = rows(database, QuarantineRow)
    assert [row.code for row in aside] == [codes[policy]] * 3
    there = {archive.quarantine.read(row.storage_key)[-row.size_bytes :] for row in aside}
    assert there | {kept} == {one.data_set for one in contents}
    with database.reading() as session:
        numbers = session.exec(select(ChangeRow.number).order_by(col(ChangeRow.number))).all()
    assert numbers == list(range(1, len(numbers) + 1))
