"""What a peer sends again with another patient: followed, refused, and never mixed."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlmodel import SQLModel, col, select

from core.clock import utc_now
from core.database import Database
from core.identities.history import Correction
from core.identities.merging import merge_patients
from core.identities.moving import move_study
from core.identities.undoing import undo
from core.predictions import load_prediction, record_prediction
from core.settings import Settings
from core.tables.changes import ChangeKind, ChangeRow
from core.tables.identity_changes import ChangeSource, IdentityChangeKind, IdentityChangeRow
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.tables.quarantine import QuarantineRow
from core.tables.reports import ReportRow
from core.tables.studies import StudyRow
from dicom_node.errors import InstanceConflict, PatientConflict
from dicom_node.storage.archive import Archive
from dicom_node.storage.duplicate_policy import DuplicatePolicy
from dicom_node.storage.ingest import ingest
from dicom_node.storage.patient_search import PatientSearch, find_patients
from tests.builders.encoded_instance import encode_instance
from tests.builders.prediction import build_prediction
from tests.builders.received import open_test_archive
from tests.fixtures.audit_trail import audited

BESIDE = {"SOPInstanceUID": "1.2.3.1.1.2"}


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    return open_test_archive(settings, database)


@pytest.fixture
def replacing(archive: Archive) -> Archive:
    return replace(archive, duplicates=DuplicatePolicy.REPLACE)


def by_a_person(reason: str = "wrong person chosen") -> Correction:
    return Correction(reason, "admin", ChangeSource.PERSON, utc_now())


def rows(database: Database, table: type[SQLModel]) -> Sequence[Any]:
    with database.reading() as session:
        return session.exec(select(table).order_by(col(table.id))).all()  # type: ignore[attr-defined]


def patients(database: Database) -> dict[int, str]:
    return {row.id: row.patient_id for row in rows(database, PatientRow)}


def patient_of_study(database: Database, uid: str = "1.2.3.1") -> str:
    with database.reading() as session:
        study = session.exec(select(StudyRow).where(StudyRow.study_instance_uid == uid)).one()
        return session.get_one(PatientRow, study.patient_key).patient_id


def kinds(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.exec(select(ChangeRow.kind).order_by(col(ChangeRow.number))).all())


def test_study_follows_a_corrected_patient_id(
    archive: Archive, replacing: Archive, database: Database
) -> None:
    first = ingest(archive, encode_instance())
    other = ingest(archive, encode_instance(**BESIDE))
    with database.transaction() as session:
        for name, key in (("p1", first.instance_key), ("p2", other.instance_key)):
            record_prediction(session, build_prediction(prediction_id=name), key, None)
            session.add(ReportRow(prediction_id=name, kind="sr", instance_key=key))

    corrected = encode_instance(PatientID="P2", PatientName="Maier^Anna", calling_ae_title="PACS")
    ingest(replacing, corrected)

    [change] = rows(database, IdentityChangeRow)
    assert patient_of_study(database) == "P2"
    assert (change.kind, change.source, change.changed_by) == ("study_moved", "peer", "PACS")
    assert (change.patient_key, change.from_patient_key) == (2, 1)
    [entry] = audited(database)
    assert (entry.actor, entry.actor_role, entry.action) == ("PACS", "peer", "change")
    assert (entry.patients, entry.detail["correction"]) == ([1, 2], "study_moved")
    with database.reading() as session:
        assert load_prediction(session, "p2").patient.name == "Maier^Anna"
        assert load_prediction(session, "p1").status == "superseded"
        wanted = JobRow.kind == JobKind.REISSUE, JobRow.status == JobStatus.QUEUED
        reissued = session.exec(select(JobRow.subject).where(*wanted)).all()
    # What was replaced is scored and reported anew; what was not is told to be another's.
    assert reissued == ["p2"]
    assert [row.name for row in rows(database, PatientRow)] == ["Müller^Anna", "Maier^Anna"]
    assert kinds(database)[-2:] == [ChangeKind.INSTANCE_REPLACED, ChangeKind.IDENTITY_CHANGED]


def test_rest_of_a_moved_study_is_taken_in_under_either_patient_id(
    archive: Archive, replacing: Archive, database: Database
) -> None:
    ingest(archive, encode_instance())
    ingest(replacing, encode_instance(PatientID="P2"))

    ingest(replacing, encode_instance(**BESIDE))
    ingest(replacing, encode_instance(PatientID="P2", SOPInstanceUID="1.2.3.1.1.3"))
    with pytest.raises(PatientConflict):
        ingest(replacing, encode_instance(PatientID="P3", SOPInstanceUID="1.2.3.1.1.4"))

    assert len(rows(database, InstanceRow)) == 3
    assert patient_of_study(database) == "P2"
    assert [row.code for row in rows(database, QuarantineRow)] == [
        "instance_replaced",
        "patient_conflict",
    ]


@pytest.mark.parametrize("policy", [DuplicatePolicy.REFUSE, DuplicatePolicy.KEEP_BOTH])
def test_without_the_policy_to_replace_nothing_moves(
    archive: Archive, database: Database, policy: DuplicatePolicy
) -> None:
    ingest(archive, encode_instance())
    careful = replace(archive, duplicates=policy)

    if policy is DuplicatePolicy.REFUSE:
        with pytest.raises(InstanceConflict):
            ingest(careful, encode_instance(PatientID="P2"))
    else:
        ingest(careful, encode_instance(PatientID="P2"))
    with pytest.raises(PatientConflict):
        ingest(careful, encode_instance(PatientID="P2", **BESIDE))

    assert patient_of_study(database) == "P1"
    assert rows(database, IdentityChangeRow) == []
    assert patients(database) == {1: "P1"}
    assert len(rows(database, QuarantineRow)) == 2


def test_former_patient_id_sent_once_more_does_not_move_it_back(
    archive: Archive, replacing: Archive, database: Database
) -> None:
    ingest(archive, encode_instance())
    ingest(replacing, encode_instance(PatientID="P2"))

    ingest(replacing, encode_instance(StudyDescription="late"))

    assert patient_of_study(database) == "P2"
    assert len(rows(database, IdentityChangeRow)) == 1
    # Nor does the former patient's name come over the other's.
    assert rows(database, PatientRow)[1].name == "Müller^Anna"


def test_what_a_person_took_back_no_peer_moves_again(
    archive: Archive, replacing: Archive, database: Database
) -> None:
    ingest(archive, encode_instance())
    ingest(replacing, encode_instance(PatientID="P2"))
    with database.transaction() as session:
        undo(session, 1, by_a_person())

    for newcomer in (
        encode_instance(PatientID="P2", StudyDescription="again"),
        encode_instance(PatientID="P2", **BESIDE),
    ):
        with pytest.raises(PatientConflict):
            ingest(replacing, newcomer)

    assert patient_of_study(database) == "P1"
    assert [row.kind for row in rows(database, IdentityChangeRow)] == ["study_moved", "undone"]
    assert [row.code for row in rows(database, QuarantineRow)][1:] == ["patient_conflict"] * 2


def test_corrected_name_reaches_the_reports_of_the_other_studies(
    archive: Archive, replacing: Archive, database: Database
) -> None:
    other = {
        "StudyInstanceUID": "1.2.9",
        "SeriesInstanceUID": "1.2.9.1",
        "SOPInstanceUID": "1.2.9.2",
    }
    ingest(archive, encode_instance())
    beside = ingest(archive, encode_instance(**other))
    with database.transaction() as session:
        record_prediction(
            session,
            build_prediction(prediction_id="p2", age_years=53.0),
            beside.instance_key,
            None,
        )
        session.add(ReportRow(prediction_id="p2", kind="sr", instance_key=beside.instance_key))

    ingest(replacing, encode_instance(PatientName="Maier^Anna", PatientBirthDate="19400101"))

    def asked() -> tuple[list[str], list[str]]:
        with database.reading() as session:
            jobs = select(JobRow.subject).where(JobRow.kind == JobKind.REISSUE)
            return list(session.exec(jobs).all()), session.get_one(PredictionRow, "p2").notes

    subjects, notes = asked()
    assert (subjects, len(notes)) == (["p2"], 1)
    assert "norm of 53 years instead of 71" in notes[0]

    with database.transaction() as session:
        undo(session, 1, by_a_person())

    assert asked() == (["p2", "p2"], [])


def test_corrected_name_is_written_with_what_it_was(
    archive: Archive, replacing: Archive, database: Database
) -> None:
    ingest(archive, encode_instance())
    ingest(
        replacing,
        encode_instance(PatientName="王^小東=王^小東", PatientBirthDate="19600101", PatientSex="M"),
    )

    [change] = rows(database, IdentityChangeRow)
    [patient] = rows(database, PatientRow)
    assert change.kind == IdentityChangeKind.PATIENT_CORRECTED
    assert change.details == {
        "before": {"name": "Müller^Anna", "birth_date": "1958-03-01", "sex": "F"},
        "after": {"name": "王^小東=王^小東", "birth_date": "1960-01-01", "sex": "M"},
    }
    assert (patient.name_ideographic, patient.sex) == ("王^小東", "M")

    with database.transaction() as session:
        undo(session, 1, by_a_person())
    [patient] = rows(database, PatientRow)
    assert (patient.name, patient.birth_date, patient.sex) == (
        "Müller^Anna",
        date(1958, 3, 1),
        "F",
    )
    assert patient.name_alphabetic == "müller^anna"


def test_correction_of_something_else_is_no_change_of_identity(
    archive: Archive, replacing: Archive, database: Database
) -> None:
    ingest(archive, encode_instance())
    ingest(replacing, encode_instance(StudyDescription="changed"))

    assert rows(database, IdentityChangeRow) == []


def test_objects_with_a_merged_patient_id_come_to_the_other(
    archive: Archive, database: Database
) -> None:
    ingest(archive, encode_instance())
    elsewhere = {"StudyInstanceUID": "1.2.4", "SeriesInstanceUID": "1.2.4.1"}
    ingest(archive, encode_instance(PatientID="P2", SOPInstanceUID="1.2.4.1.1", **elsewhere))
    with database.transaction() as session:
        one, other = session.get_one(PatientRow, 1), session.get_one(PatientRow, 2)
        merge_patients(session, one, other, by_a_person())

    with database.reading() as session:
        found, _ = find_patients(session, PatientSearch(patient_id="P1"), 10)
    assert [(one.row.patient_id, one.studies) for one in found] == [("P2", 2)]
    later = {"StudyInstanceUID": "1.2.5", "SeriesInstanceUID": "1.2.5.1"}
    ingest(archive, encode_instance(SOPInstanceUID="1.2.5.1.1", **later))
    ingest(archive, encode_instance(**BESIDE))

    assert {patient_of_study(database, uid) for uid in ("1.2.3.1", "1.2.4", "1.2.5")} == {"P2"}
    with database.transaction() as session:
        undo(session, 1, by_a_person())
    # What came with its own ID goes back with it, also what came since.
    assert [patient_of_study(database, uid) for uid in ("1.2.3.1", "1.2.4", "1.2.5")] == [
        "P1",
        "P2",
        "P1",
    ]


def test_ingest_beside_merges_and_moves_loses_nothing_and_mixes_nobody(
    archive: Archive, database: Database
) -> None:
    for number in (1, 2):
        ingest(archive, _numbered(number, 0))
    broken: list[BaseException] = []

    def bring(number: int) -> None:
        try:
            for study in range(1, 25):
                ingest(archive, _numbered(number, study))
        except BaseException as error:  # noqa: BLE001 - told by the test
            broken.append(error)

    threads = [threading.Thread(target=bring, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for turn in range(12):
        _merge_or_take_back(database, turn)
    for thread in threads:
        thread.join()
    _merge_or_take_back(database, 0)

    assert broken == []
    with database.reading() as session:
        of_patient = session.exec(select(StudyRow.patient_key, StudyRow.study_instance_uid)).all()
    # The last thing said is that both are one: nothing is left with the record that was given up.
    assert len(of_patient) == 50
    assert {key for key, _ in of_patient} == {2}
    with database.transaction() as session:
        last = session.exec(select(IdentityChangeRow).order_by(col(IdentityChangeRow.id).desc()))
        undo(session, last.first().id, by_a_person())  # type: ignore[union-attr, arg-type]
    with database.reading() as session:
        found = session.exec(select(StudyRow.patient_key, StudyRow.study_instance_uid)).all()
    # And apart again, each has its own.
    assert {(uid.split(".")[2], key) for key, uid in found} == {("1", 1), ("2", 2)}


def _numbered(number: int, study: int) -> Any:
    uid = f"1.2.{number}.{study}"
    return encode_instance(
        PatientID=f"P{number}",
        StudyInstanceUID=uid,
        SeriesInstanceUID=f"{uid}.1",
        SOPInstanceUID=f"{uid}.1.1",
    )


def _merge_or_take_back(database: Database, turn: int) -> None:
    with database.transaction() as session:
        if turn % 2 == 0:
            one, other = session.get_one(PatientRow, 1), session.get_one(PatientRow, 2)
            merge_patients(session, one, other, by_a_person())
        else:
            newest = select(IdentityChangeRow.id).order_by(col(IdentityChangeRow.id).desc())
            undo(session, session.exec(newest).first() or 0, by_a_person())


def test_moving_by_hand_says_whose_it_was(archive: Archive, database: Database) -> None:
    ingest(archive, encode_instance())
    elsewhere = {"StudyInstanceUID": "1.2.4", "SeriesInstanceUID": "1.2.4.1"}
    ingest(archive, encode_instance(PatientID="P2", SOPInstanceUID="1.2.4.1.1", **elsewhere))
    with database.transaction() as session:
        study = session.get_one(StudyRow, 1)
        move_study(session, study, session.get_one(PatientRow, 2), by_a_person("mixed up"))

    [change] = rows(database, IdentityChangeRow)
    assert (change.reason, change.changed_by, change.source) == ("mixed up", "admin", "person")
    assert patient_of_study(database) == "P2"
    ingest(archive, encode_instance(**BESIDE))
    assert len(rows(database, InstanceRow)) == 3
