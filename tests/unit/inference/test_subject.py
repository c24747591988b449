from datetime import UTC, date, datetime

import pytest

from core.database import Database
from core.errors import RecordNotFound
from core.tables.instances import InstanceOutcome, InstanceRow
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.scan import Device
from dicom_node.storage.archive import Archive
from inference.subject import load_subject
from tests.builders.opt import build_circle_opt
from tests.builders.received import receive

RECEIVED_AT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


def test_subject_is_whose_the_received_object_is(archive: Archive, database: Database) -> None:
    scan = build_circle_opt(IssuerOfPatientID="Clinic", Manufacturer="Maker")
    key = receive(archive, scan, at=RECEIVED_AT)

    with database.reading() as session:
        subject = load_subject(session, key)

    born = date.fromisoformat(scan.PatientBirthDate)
    assert subject.instance_key == key
    assert subject.patient == PatientIdentity("TEST-0001", "Clinic", "Test^Eye", born, "F")
    assert subject.source == InstanceIdentity(
        scan.StudyInstanceUID, scan.SeriesInstanceUID, scan.SOPInstanceUID, "TEST-ACC-1"
    )
    assert subject.device == Device(
        "Maker", scan.ManufacturerModelName, scan.get("DeviceSerialNumber", "")
    )
    assert subject.received_at == RECEIVED_AT


def test_patient_without_issuer_has_none(archive: Archive, database: Database) -> None:
    key = receive(archive, build_circle_opt())

    with database.reading() as session:
        assert load_subject(session, key).patient.issuer is None


def test_outcome_is_written_to_the_instance(archive: Archive, database: Database) -> None:
    key = receive(archive, build_circle_opt())

    with database.transaction() as session:
        load_subject(session, key).set_outcome(session, InstanceOutcome.PREDICTED)

    with database.reading() as session:
        assert session.get_one(InstanceRow, key).outcome == InstanceOutcome.PREDICTED


def test_instance_that_is_gone_is_not_found(archive: Archive, database: Database) -> None:
    key = receive(archive, build_circle_opt())
    with database.transaction() as session:
        subject = load_subject(session, key)
        session.delete(session.get_one(InstanceRow, key))

    with database.reading() as session:
        with pytest.raises(RecordNotFound):
            load_subject(session, key)
        with pytest.raises(RecordNotFound):
            subject.instance_row(session)
