from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.uid import (
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    OphthalmicTomographyImageStorage,
)
from sqlalchemy import event
from sqlmodel import SQLModel, col, func, select

from core.database import Database, DatabaseAway
from core.errors import NodeError
from core.tables.changes import ChangeKind, ChangeRow
from core.tables.instances import InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind, JobRow
from core.tables.patients import PatientRow
from core.tables.quarantine import QuarantineRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from dicom_node.errors import (
    HierarchyConflict,
    InstanceConflict,
    InstanceRefused,
    InvalidInstance,
    ObjectTooLarge,
    PatientConflict,
    PatientIDMissing,
    SOPMismatch,
    StorageFull,
    UnsupportedSOPClass,
)
from dicom_node.storage.archive import Archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.digest_key import digest_key
from dicom_node.storage.ingest import ingest
from dicom_node.storage.part10 import EncodedInstance
from dicom_node.storage.records import IngestOutcome
from tests.builders.at_once import ingest_at_once
from tests.builders.encoded_instance import as_file, encode_instance

RECEIVED_AT = datetime(2024, 3, 20, 12, tzinfo=UTC)
LOCALIZER_SOP_CLASS = "1.2.840.10008.5.1.4.1.1.77.1.5.1"
RAW_DATA_SOP_CLASS = "1.2.840.10008.5.1.4.1.1.66"


def rows(database: Database, table: type[SQLModel]) -> Sequence[Any]:
    with database.reading() as session:
        return session.exec(select(table)).all()


def counts(database: Database, *tables: type[SQLModel]) -> tuple[int, ...]:
    with database.reading() as session:
        return tuple(session.exec(select(func.count()).select_from(t)).one() for t in tables)


def files_below(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_ingest_writes_every_row_and_the_job(archive: Archive, database: Database) -> None:
    encoded = encode_instance()

    outcome = ingest(archive, encoded, clock=lambda: RECEIVED_AT)

    digest = sha256(encoded.data_set).hexdigest()
    assert outcome == IngestOutcome(outcome.instance_key, "1.2.3.1.1.1", digest, is_new=True)
    [patient], [study] = rows(database, PatientRow), rows(database, StudyRow)
    assert (patient.patient_id, patient.name, str(patient.birth_date)) == (
        "P1",
        "Müller^Anna",
        "1958-03-01",
    )
    assert (study.patient_key, study.accession_number) == (patient.id, "A1")
    [series], [instance] = rows(database, SeriesRow), rows(database, InstanceRow)
    assert (series.study_key, series.modality) == (study.id, "OPT")
    assert (instance.series_key, instance.outcome) == (series.id, InstanceOutcome.PENDING)
    assert (instance.digest, instance.size_bytes) == (digest, len(encoded.data_set))
    assert (instance.received_at, instance.calling_ae_title) == (RECEIVED_AT, "DEVICE1")
    [job], [change] = rows(database, JobRow), rows(database, ChangeRow)
    assert (job.kind, job.subject) == (JobKind.ANALYSE, str(outcome.instance_key))
    assert (change.kind, change.subject) == (ChangeKind.INSTANCE_RECEIVED, "1.2.3.1.1.1")


@pytest.mark.parametrize("transfer_syntax_uid", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_ingest_keeps_the_bytes_as_received(archive: Archive, transfer_syntax_uid: str) -> None:
    encoded = encode_instance(transfer_syntax_uid)

    outcome = ingest(archive, encoded)

    file = archive.storage.read(digest_key(outcome.digest))
    assert file.endswith(encoded.data_set)
    assert dcmread(BytesIO(file)).file_meta.TransferSyntaxUID == transfer_syntax_uid


@pytest.mark.parametrize(
    ("sop_class_uid", "modality", "maker", "outcome", "jobs"),
    [
        (LOCALIZER_SOP_CLASS, "OP", "Any", InstanceOutcome.PENDING, 1),
        (RAW_DATA_SOP_CLASS, "OPV", "Carl Zeiss Meditec", InstanceOutcome.NOT_MODEL_INPUT, 0),
        (RAW_DATA_SOP_CLASS, "OPT", "Any", InstanceOutcome.NOT_MODEL_INPUT, 0),
        (RAW_DATA_SOP_CLASS, "OPT", "Carl Zeiss Meditec AG", InstanceOutcome.PENDING, 1),
        (OphthalmicTomographyImageStorage, "OPT", "Any", InstanceOutcome.PENDING, 1),
    ],
)
def test_ingest_enqueues_what_may_be_model_input(
    archive: Archive,
    database: Database,
    sop_class_uid: str,
    modality: str,
    maker: str,
    outcome: str,
    jobs: int,
) -> None:
    ingest(
        archive, encode_instance(SOPClassUID=sop_class_uid, Modality=modality, Manufacturer=maker)
    )

    [instance] = rows(database, InstanceRow)
    assert (instance.outcome, *counts(database, JobRow)) == (outcome, jobs)


def test_ingest_of_the_same_again_is_no_work(archive: Archive, database: Database) -> None:
    first = ingest(archive, encode_instance())

    second = ingest(archive, encode_instance(calling_ae_title="ANOTHER"))

    assert second == replace(first, is_new=False)
    assert counts(database, InstanceRow, JobRow, ChangeRow, QuarantineRow) == (1, 1, 1, 0)


def test_ingest_of_the_same_again_brings_back_lost_bytes(archive: Archive) -> None:
    outcome = ingest(archive, encode_instance())
    archive.storage.delete(digest_key(outcome.digest))

    ingest(archive, encode_instance())

    assert archive.storage.exists(digest_key(outcome.digest))


def test_instances_of_one_series_share_the_rows_above(archive: Archive, database: Database) -> None:
    ingest(archive, encode_instance())
    ingest(archive, encode_instance(SOPInstanceUID="1.2.3.1.1.2"))
    ingest(archive, encode_instance(SOPInstanceUID="1.2.3.1.2.1", SeriesInstanceUID="1.2.3.1.2"))

    assert counts(database, PatientRow, StudyRow, SeriesRow, InstanceRow) == (1, 1, 2, 3)


def test_the_same_patient_id_of_two_issuers_is_two_patients(
    archive: Archive, database: Database
) -> None:
    ingest(archive, encode_instance(IssuerOfPatientID="North"))
    second = {"StudyInstanceUID": "1.2.4", "SeriesInstanceUID": "1.2.4.1"}
    ingest(
        archive, encode_instance(IssuerOfPatientID="South", SOPInstanceUID="1.2.4.1.1", **second)
    )

    assert [p.issuer for p in rows(database, PatientRow)] == ["North", "South"]


def test_an_instance_without_issuer_belongs_to_the_patient_of_its_study(
    archive: Archive, database: Database
) -> None:
    ingest(archive, encode_instance(IssuerOfPatientID="North"))
    ingest(archive, encode_instance(SOPInstanceUID="1.2.3.1.1.2"))

    assert counts(database, PatientRow, StudyRow, InstanceRow) == (1, 1, 2)


OTHER = {"SOPInstanceUID": "1.2.3.1.1.2"}


@pytest.mark.parametrize(
    ("newcomer", "error"),
    [
        ({"PatientName": "Other^Content"}, InstanceConflict),
        ({**OTHER, "PatientID": "P2"}, PatientConflict),
        ({**OTHER, "IssuerOfPatientID": "South"}, PatientConflict),
        ({**OTHER, "StudyInstanceUID": "1.2.9"}, HierarchyConflict),
        ({**OTHER, "announced_instance_uid": "1.2.3.1.1.3"}, SOPMismatch),
        ({**OTHER, "announced_class_uid": LOCALIZER_SOP_CLASS}, SOPMismatch),
        ({**OTHER, "PatientID": None}, PatientIDMissing),
        ({**OTHER, "StudyInstanceUID": None}, InvalidInstance),
    ],
)
def test_what_contradicts_is_kept_aside_and_refused(
    archive: Archive, database: Database, newcomer: dict[str, Any], error: type[InstanceRefused]
) -> None:
    kept = ingest(archive, encode_instance(IssuerOfPatientID="North"))
    encoded = encode_instance(**{"IssuerOfPatientID": "North", **newcomer})

    with pytest.raises(error):
        ingest(archive, encoded, clock=lambda: RECEIVED_AT)

    [row] = rows(database, QuarantineRow)
    assert (row.code, row.calling_ae_title, row.received_at) == (error.code, "DEVICE1", RECEIVED_AT)
    assert archive.quarantine.read(row.storage_key).endswith(encoded.data_set)
    assert files_below(archive.storage.root) == [digest_key(kept.digest)]
    assert counts(database, PatientRow, StudyRow, SeriesRow, InstanceRow) == (1, 1, 1, 1)
    assert rows(database, ChangeRow)[-1].subject == str(row.id)


def test_the_message_of_a_quarantined_instance_names_no_patient(
    archive: Archive, database: Database
) -> None:
    ingest(archive, encode_instance())

    with pytest.raises(PatientConflict):
        ingest(archive, encode_instance(**OTHER, PatientID="SECRET", PatientName="Secret^Name"))

    [row] = rows(database, QuarantineRow)
    assert "secret" not in row.message.lower()


def test_a_refused_instance_sent_again_is_kept_aside_once(
    archive: Archive, database: Database
) -> None:
    for _ in range(3):
        with pytest.raises(PatientIDMissing):
            ingest(archive, encode_instance(PatientID=""))

    assert counts(database, QuarantineRow, ChangeRow) == (1, 1)


def test_a_malformed_announced_uid_reaches_neither_record_nor_disk(
    archive: Archive, database: Database
) -> None:
    encoded = replace(encode_instance(), sop_instance_uid="../../\x00")

    with pytest.raises(SOPMismatch):
        ingest(archive, encoded)

    [row] = rows(database, QuarantineRow)
    assert row.sop_instance_uid == ""
    assert files_below(archive.quarantine.root) == [digest_key(row.digest)]


@pytest.mark.parametrize(
    ("encoded", "limits", "error", "listed"),
    [
        (encode_instance(), {"maximum_object_bytes": 100}, ObjectTooLarge, ["object_too_large"]),
        (encode_instance(), {"minimum_free_bytes": 1 << 62}, StorageFull, []),
        (
            encode_instance(SOPClassUID="1.2.840.10008.5.1.4.1.1.2"),
            {},
            UnsupportedSOPClass,
            ["sop_class_not_supported"],
        ),
    ],
)
def test_what_is_refused_unread_leaves_no_bytes(
    archive: Archive,
    database: Database,
    encoded: EncodedInstance,
    limits: dict[str, int],
    error: type[NodeError],
    listed: list[str],
) -> None:
    with pytest.raises(error):
        ingest(replace(archive, **limits), encoded)

    assert [row.code for row in rows(database, QuarantineRow)] == listed
    assert counts(database, InstanceRow, ChangeRow) == (0, len(listed))
    assert files_below(archive.storage.root) == files_below(archive.quarantine.root) == []


def test_the_watermark_counts_the_instance_itself(archive: Archive) -> None:
    encoded = encode_instance()
    capacity = len(as_file(encoded)) + 1000

    def free_bytes(root: Path) -> int:
        return capacity - sum(p.stat().st_size for p in root.rglob("*") if p.is_file())

    storage = Storage(f"file://{archive.storage.root}", free_bytes)

    with pytest.raises(StorageFull):
        ingest(replace(archive, storage=storage, minimum_free_bytes=1001), encoded)
    assert files_below(storage.root) == []
    assert ingest(replace(archive, storage=storage, minimum_free_bytes=1000), encoded).is_new


def test_bytes_are_durable_before_the_rows_and_a_lost_commit_can_be_repeated(
    archive: Archive, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: object) -> None:
        raise DatabaseAway("gone before the commit")

    with monkeypatch.context() as patch:
        patch.setattr("dicom_node.storage.records.append_changes", away)
        with pytest.raises(DatabaseAway):
            ingest(archive, encode_instance())

    assert counts(database, PatientRow, InstanceRow, JobRow) == (0, 0, 0)
    assert len(files_below(archive.storage.root)) == 1
    assert ingest(archive, encode_instance()).is_new
    assert counts(database, PatientRow, InstanceRow, JobRow) == (1, 1, 1)


def test_the_same_instance_from_many_at_once_is_kept_once(
    archive: Archive, database: Database
) -> None:
    results = ingest_at_once(archive, [encode_instance()] * 6)

    assert sorted(getattr(r, "is_new", None) for r in results) == [False] * 5 + [True]
    assert counts(database, PatientRow, InstanceRow, JobRow, QuarantineRow) == (1, 1, 1, 0)


def test_two_contents_of_one_uid_at_once_keep_the_first(
    archive: Archive, database: Database
) -> None:
    both = [encode_instance(PatientComments=str(i)) for i in range(4)]

    results = ingest_at_once(archive, both)

    assert results.count(InstanceConflict) == 3
    assert counts(database, InstanceRow, JobRow, QuarantineRow) == (1, 1, 3)


def test_many_instances_of_one_new_study_at_once_are_all_kept(
    archive: Archive, database: Database
) -> None:
    instances = [encode_instance(SOPInstanceUID=f"1.2.3.1.1.{i}") for i in range(8)]

    results = ingest_at_once(archive, instances)

    assert [getattr(r, "is_new", r) for r in results] == [True] * 8
    assert counts(database, PatientRow, StudyRow, SeriesRow, InstanceRow) == (1, 1, 1, 8)


def test_a_study_of_two_patients_at_once_keeps_one_patient(
    archive: Archive, database: Database
) -> None:
    instances = [
        encode_instance(SOPInstanceUID=f"1.2.3.1.1.{i}", PatientID=f"P{i % 2}") for i in range(6)
    ]

    results = ingest_at_once(archive, instances)

    assert results.count(PatientConflict) == 3
    with database.reading() as session:
        owners = session.exec(
            select(col(PatientRow.patient_id))
            .join(StudyRow, col(StudyRow.patient_key) == col(PatientRow.id))
            .distinct()
        ).all()
    assert len(owners) == 1


def before_select(database: Database, number: int, intrude: Callable[[], object]) -> list[str]:
    """Call `intrude` once, just before the select of that number; return the statements.

    On PostgreSQL what it commits is seen by that select and those after it, and by none before. Not
    behind an insert: it would wait for the very transaction that waits for it.
    """
    statements: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def count(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement.split(maxsplit=1)[0])
        if statements == ["SELECT"] * number:
            intrude()

    return statements


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize(
    ("intruder", "refusal"),
    [
        ({"PatientID": "P2", "SeriesInstanceUID": "1.2.3.1.2"}, PatientConflict),
        ({"StudyInstanceUID": "1.2.3.2"}, HierarchyConflict),
    ],
)
def test_a_contradiction_that_comes_at_any_moment_is_refused(
    archive: Archive,
    database: Database,
    number: int,
    intruder: dict[str, str],
    refusal: type[InstanceRefused],
) -> None:
    if database.is_sqlite:
        pytest.skip("a writing transaction of SQLite shuts out every other one")
    other = Database(database.url.render_as_string(hide_password=False))
    contradicting = encode_instance(SOPInstanceUID="1.2.3.9", **intruder)
    statements = before_select(
        database, number, lambda: ingest(replace(archive, database=other), contradicting)
    )

    [result] = ingest_at_once(archive, [encode_instance()])

    other.close()
    intruded = statements[:number] == ["SELECT"] * number
    assert result is refusal if intruded else getattr(result, "is_new", False)


def test_a_repetition_mends_bytes_that_were_cut_short(archive: Archive) -> None:
    encoded = encode_instance()
    key = digest_key(ingest(archive, encoded).digest)
    (archive.storage.root / key).write_bytes(b"cut")

    assert not ingest(archive, encoded).is_new

    assert archive.storage.read(key) == as_file(encoded)
