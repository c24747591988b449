import pytest
from pydicom.uid import ExplicitVRLittleEndian
from sqlmodel import select

from core.database import Database
from core.errors import RecordNotFound
from core.tables.changes import ChangeKind, ChangeRow
from core.tables.instances import InstanceOrigin, InstanceOutcome
from core.tables.jobs import JobRow
from dicom_node.errors import PatientConflict
from dicom_node.implementation import IMPLEMENTATION_CLASS_UID
from dicom_node.storage.archive import Archive
from dicom_node.storage.ingest import ingest
from dicom_node.storage.instances import find_instance
from dicom_node.storage.reports import keep_report, write_report
from dicom_node.storage.retrieve import read_dataset, read_instance, referenced_localizer
from dicom_node.storage.search import context_of_instance, find_study, instances_of_study
from tests.builders.encoded_instance import build_instance, encode_instance

REPORT = {
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.34",
    "SOPInstanceUID": "1.2.3.1.9.1",
    "SeriesInstanceUID": "1.2.3.1.9",
    "Modality": "SR",
    "PixelData": None,
}


def test_a_report_is_kept_once_beside_its_scan(archive: Archive, database: Database) -> None:
    ingest(archive, encode_instance())

    for _ in range(2):
        with database.transaction() as session:
            row = keep_report(session, write_report(archive.storage, build_instance(**REPORT)))

    assert (row.origin, row.outcome) == (InstanceOrigin.PRODUCED, InstanceOutcome.REPORT)
    with database.reading() as session:
        study = find_study(session, "1.2.3.1")
        assert study is not None
        instances = instances_of_study(session, study.id or 0)
        patient, _, series = context_of_instance(session, row)
        kinds = session.exec(select(ChangeRow.kind).order_by(ChangeRow.number)).all()
        jobs = session.exec(select(JobRow)).all()
        dataset = read_dataset(session, archive.storage, "1.2.3.1.9.1")
    assert [i.sop_instance_uid for i in instances] == ["1.2.3.1.1.1", "1.2.3.1.9.1"]
    assert (patient.patient_id, series.modality, len(jobs)) == ("P1", "SR", 1)
    assert kinds == [ChangeKind.INSTANCE_RECEIVED, ChangeKind.REPORT_KEPT]
    assert dataset.file_meta.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert dataset == build_instance(**REPORT)


def test_a_report_of_another_patient_is_refused(archive: Archive, database: Database) -> None:
    ingest(archive, encode_instance())

    written = write_report(archive.storage, build_instance(**REPORT, PatientID="P2"))
    with database.transaction() as session, pytest.raises(PatientConflict):
        keep_report(session, written)


def test_an_instance_is_read_with_or_without_pixels(archive: Archive, database: Database) -> None:
    encoded = encode_instance()
    ingest(archive, encoded)

    with database.reading() as session:
        file = read_instance(session, archive.storage, "1.2.3.1.1.1")
        whole = read_dataset(session, archive.storage, "1.2.3.1.1.1")
        bare = read_dataset(session, archive.storage, "1.2.3.1.1.1", pixels=False)
    assert file[128:132] == b"DICM"
    assert file.endswith(encoded.data_set)
    assert whole.PixelData == b"\x00\x40\x80\xff"
    assert "PixelData" not in bare


def test_an_unknown_instance_says_so(archive: Archive, database: Database) -> None:
    with database.reading() as session, pytest.raises(RecordNotFound):
        read_instance(session, archive.storage, "1.2.3")


def test_a_localizer_is_found_in_its_own_study_only(archive: Archive, database: Database) -> None:
    ingest(archive, encode_instance())
    ingest(archive, encode_instance(SOPInstanceUID="1.2.3.1.2.1", SeriesInstanceUID="1.2.3.1.2"))
    elsewhere = {"StudyInstanceUID": "1.2.4", "SeriesInstanceUID": "1.2.4.1"}
    ingest(archive, encode_instance(SOPInstanceUID="1.2.4.1.1", PatientID="P2", **elsewhere))

    with database.reading() as session:
        scan = find_instance(session, "1.2.3.1.1.1")
        assert scan is not None
        found = referenced_localizer(session, scan, "1.2.3.1.2.1")
        assert found is not None
        assert found.sop_instance_uid == "1.2.3.1.2.1"
        assert referenced_localizer(session, scan, "1.2.4.1.1") is None
        assert referenced_localizer(session, scan, "1.2.5") is None
