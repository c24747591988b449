"""How either database finds what is searched for among 100,000 studies: by indexes."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import Session, col, select

from api.rest.patient_search import PatientQuery, _passes, page_of_patients
from api.rest.prediction_search import PredictionQuery, page_of_records, select_page
from core.database import Database
from core.eye_selection import of_eye, unindexed
from core.tables.columns import table_of
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from tests.builders.large_archive import fill
from tests.conftest import empty_database

_STUDIES = 100_000
#: Each filter with how many there are to be found, at most a page of 50.
_FILTERS: list[tuple[dict[str, str], int]] = [
    ({}, 50),
    ({"patient_id": "P777"}, 2),
    ({"patient_id": "P777", "issuer": "Clinic"}, 2),
    ({"study_uid": "2.25.1.777"}, 1),
    ({"accession_number": "A777"}, 1),
    ({"laterality": "L"}, 50),
    ({"status": "not_assessable"}, 50),
    ({"status": "failed"}, 0),
    ({"model": "trial"}, 20),
    ({"model": "retinervenet:0.9.0"}, 25),
    ({"acquired_from": "2017-08-01", "acquired_to": "2017-08-01"}, 50),
    ({"received_from": "2017-08-01", "received_to": "2017-08-01"}, 50),
    ({"predicted_from": "2017-08-01", "predicted_to": "2017-08-01"}, 50),
    ({"mean_deviation_min": "2.9"}, 50),
    ({"mean_deviation_max": "-30"}, 50),
    ({"severity": "early"}, 50),
    ({"severity": "moderate"}, 50),
    ({"severity": "severe"}, 50),
    ({"device_serial_number": "SN-13"}, 50),
    ({"device_model": "Rare"}, 34),
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def archive(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """The same for every test: it takes long to fill."""
    with empty_database(request, request.param, tmp_path_factory.mktemp("archive")) as url:
        database = Database(url)
        fill(database, _STUDIES)
        yield database
        database.close()


@pytest.fixture
def session(archive: Database) -> Iterator[Session]:
    with archive.reading() as opened:
        yield opened


def test_every_filter_is_served_by_an_index(session: Session) -> None:
    queries = {str(given): PredictionQuery(**given) for given, _ in _FILTERS}  # type: ignore[arg-type]

    plans = {name: _plan(session, select_page(query, None, 51)) for name, query in queries.items()}
    found = {name: len(page_of_records(session, query)[0]) for name, query in queries.items()}

    assert found == {str(given): count for given, count in _FILTERS}
    assert {name: plan for name, plan in plans.items() if _reads_a_whole_table(plan)} == {}
    # The following page, too.
    query = PredictionQuery(severity="severe")
    records, following = page_of_records(session, query)
    assert following is not None
    after = (records[-1][0].predicted_at, records[-1][0].id)
    assert not _reads_a_whole_table(_plan(session, select_page(query, after, 51)))


def test_patients_are_found_by_indexes_but_for_the_middle_of_a_name(session: Session) -> None:
    patients = table_of(PatientRow)
    starts, holds = _passes(session, "sato12")

    by_beginning = _plan(session, patients.select().where(starts))
    by_part = _plan(session, patients.select().where(holds))
    rows, following = page_of_patients(session, PatientQuery(name="SATO12", limit=5))

    assert not _reads_a_whole_table(by_beginning)
    assert _reads_a_whole_table(by_part)
    assert [row.name_alphabetic for row in rows] == [
        f"sato12{n}^anna" for n in ("0", "5", "00", "05", "10")
    ]
    assert following is not None


def test_results_of_an_eye_are_found_by_the_patient(session: Session) -> None:
    of_patient = of_eye(select(PredictionRow.id), 777, Laterality.RIGHT)
    final = unindexed(col(PredictionRow.status)) == PredictionStatus.FINAL

    plan = _plan(session, of_patient.where(final).order_by(col(PredictionRow.acquired_at).desc()))

    assert "studies_patient_key" in plan
    assert "predictions_instance" in plan or "predictions_answer" in plan


def _plan(session: Session, statement: Any) -> str:
    bind = session.get_bind()
    explain = "EXPLAIN QUERY PLAN" if bind.dialect.name == "sqlite" else "EXPLAIN"
    compiled = statement.compile(dialect=bind.dialect)
    values = compiled.construct_params()
    processed = {
        name: process(value) if (process := compiled._bind_processors.get(name)) else value
        for name, value in values.items()
    }
    given = tuple(processed[name] for name in compiled.positiontup or ()) or processed
    rows = session.connection().exec_driver_sql(f"{explain} {compiled}", given)
    return "\n".join(str(row[-1]) for row in rows)


def _reads_a_whole_table(plan: str) -> bool:
    lines = plan.splitlines()
    scans = [line for line in lines if line.startswith("SCAN") and "INDEX" not in line]
    return bool(scans) or any("Seq Scan" in line for line in lines)
