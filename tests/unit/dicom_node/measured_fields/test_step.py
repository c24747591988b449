import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, BinaryIO

import pytest
from sqlmodel import SQLModel, select

from core import ledger
from core.database import Database
from core.measured_fields import measured_field_of
from core.settings import Settings
from core.tables.changes import ChangeRow
from core.tables.instances import InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.measured_fields import MeasuredFieldRow
from core.tables.patients import PatientRow
from core.values.laterality import Laterality
from core.worker import Worker
from dicom_node.measured_fields.opv import read_field
from dicom_node.measured_fields.step import ReadFieldStep
from dicom_node.storage.archive import Archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.retention.holds import holds_of
from tests.builders.moved_study import move_to_patient_born
from tests.builders.opv import build_field_db, build_opv
from tests.builders.received import open_test_archive, receive


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    return open_test_archive(settings, database)


@pytest.fixture
def worker(archive: Archive, settings: Settings) -> Worker:
    step = ReadFieldStep(archive.database, archive.storage)
    return Worker(archive.database, settings, step, threading.Event())


def rows(archive: Archive, table: type[SQLModel]) -> Sequence[Any]:
    with archive.database.reading() as session:
        return session.exec(select(table)).all()


@pytest.mark.parametrize("laterality", Laterality)
def test_received_test_becomes_a_measured_field(
    archive: Archive, worker: Worker, laterality: Laterality
) -> None:
    dataset = build_opv(laterality, sensitivities_db=build_field_db(8))
    key = receive(archive, dataset)

    assert worker.run_once() == 1

    (row,) = rows(archive, MeasuredFieldRow)
    assert (row.instance_key, row.source, row.laterality) == (key, "opv", laterality)
    assert row.sensitivities_db == pytest.approx(build_field_db(8).tolist(), abs=1e-4)
    expected = read_field(dataset)
    found = measured_field_of(row)
    assert (found.points, found.reliability) == (expected.points, expected.reliability)
    assert found.measured_at == expected.measured_at.astimezone()
    (instance,) = rows(archive, InstanceRow)
    assert (instance.outcome, instance.outcome_message) == (InstanceOutcome.NOT_MODEL_INPUT, "")
    assert [job.status for job in rows(archive, JobRow)] == [JobStatus.DONE]
    assert [(c.kind, c.subject) for c in rows(archive, ChangeRow)][-1] == (
        "measured_field_recorded",
        str(row.id),
    )


def test_reading_again_records_nothing(archive: Archive, worker: Worker) -> None:
    key = receive(archive, build_opv())
    worker.run_once()
    with archive.database.transaction() as session:
        ledger.enqueue(session, JobKind.READ_FIELD, str(key))

    assert worker.run_once() == 1

    assert len(rows(archive, MeasuredFieldRow)) == 1
    assert [c.kind for c in rows(archive, ChangeRow)].count("measured_field_recorded") == 1


class _Corrected(Storage):
    """Lets the study be given to another patient while a job reads the object."""

    def __init__(self, database: Database, url: str) -> None:
        super().__init__(url)
        self.database = database

    @contextmanager
    def open(self, key: str) -> Generator[BinaryIO]:
        with super().open(key) as file:
            move_to_patient_born(self.database, date(1930, 1, 1))
            yield file


def test_field_of_a_study_that_was_moved_meanwhile_is_the_new_patient_s(
    archive: Archive, database: Database, settings: Settings
) -> None:
    receive(archive, build_opv())
    step = ReadFieldStep(database, _Corrected(database, settings.storage))

    Worker(database, settings, step, threading.Event()).run_once()

    (row,) = rows(archive, MeasuredFieldRow)
    with database.reading() as session:
        assert session.get_one(PatientRow, row.patient_key).patient_id == "MOVED-1"


def test_wrong_eye_gives_no_field_and_says_why(archive: Archive, worker: Worker) -> None:
    receive(archive, build_opv(MeasurementLaterality="L"))

    worker.run_once()

    assert rows(archive, MeasuredFieldRow) == []
    (instance,) = rows(archive, InstanceRow)
    assert "The eye is not certain" in instance.outcome_message
    assert [job.status for job in rows(archive, JobRow)] == [JobStatus.DONE]


def test_instance_stays_until_it_is_read(archive: Archive, worker: Worker) -> None:
    receive(archive, build_opv())

    def held() -> list[str]:
        with archive.database.reading() as session:
            return [hold.code for hold in holds_of(session, [1]).get(1, [])]

    before = held()
    worker.run_once()

    assert (before, held()) == (["field_not_read"], [])


def test_corrected_object_takes_the_place_of_the_first(
    settings: Settings, database: Database
) -> None:
    replacing = settings.model_copy(update={"duplicates": "replace"})
    archive = open_test_archive(replacing, database)
    worker = Worker(database, settings, ReadFieldStep(database, archive.storage), threading.Event())
    receive(archive, build_opv())
    worker.run_once()

    receive(archive, build_opv(sensitivities_db=build_field_db(10)))
    between = rows(archive, MeasuredFieldRow)
    worker.run_once()

    assert between == []
    (row,) = rows(archive, MeasuredFieldRow)
    assert row.sensitivities_db == pytest.approx(build_field_db(10).tolist(), abs=1e-4)
