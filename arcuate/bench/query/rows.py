"""The population as rows of our record, written without a single object being stored."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Table, insert

from arcuate.bench.query.population import Patient, Population, Series, Study
from core.clock import utc_now
from core.database import Database
from core.tables.columns import table_of
from core.tables.instances import InstanceOutcome, InstanceRow
from core.tables.patients import PatientRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.values.person_name import FoldedName

_BATCH: Final = 5000
_Rows = Iterator[dict[str, Any]]


def fill(database: Database, population: Population, tell: Callable[[str], None]) -> None:
    """Write the rows of a population into an empty record, and let the database count them."""
    tables: Mapping[type[Any], Callable[[Population], _Rows]] = {
        PatientRow: _patients,
        StudyRow: _studies,
        SeriesRow: _series,
        InstanceRow: _instances,
    }
    for row, rows in tables.items():
        tell(f"writing {row.__tablename__}")
        with database.writing() as connection:
            _write(connection, table_of(row), rows(population))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # As autovacuum and `PRAGMA optimize` have done long before an archive is so large.
        connection.exec_driver_sql("ANALYZE" if database.is_sqlite else "VACUUM ANALYZE")


def _write(connection: Connection, table: Table, rows: _Rows) -> None:
    while batch := list(itertools.islice(rows, _BATCH)):
        connection.execute(insert(table), batch)


def _patients(population: Population) -> _Rows:
    for number in range(population.patients):
        patient = Patient(number)
        folded = FoldedName.of(patient.name)
        yield {
            "id": number + 1,
            "patient_id": patient.patient_id,
            "issuer": "",
            "name": patient.name,
            "name_alphabetic": folded.alphabetic,
            "birth_date": patient.birth_date,
            "sex": "FM"[number % 2],
        }


def _studies(population: Population) -> _Rows:
    now = utc_now()
    for number in range(population.studies):
        study = Study(number)
        yield {
            "id": number + 1,
            "patient_key": study.patient.number + 1,
            "study_instance_uid": study.uid,
            "study_id": f"S{number}",
            "accession_number": study.accession_number,
            "study_date": study.day,
            "study_time": f"{8 + number % 10:02d}{number % 60:02d}00",
            "study_description": study.description,
            "referring_physician_name": "Weiss^Eva",
            "referring_physician_folded": "weiss^eva",
            "received_at": now,
        }


def _all_series(population: Population) -> Iterator[Series]:
    for number in range(population.studies):
        yield from Study(number).series()


def _series(population: Population) -> _Rows:
    for series in _all_series(population):
        yield {
            "id": series.number + 1,
            "study_key": series.study.number + 1,
            "series_instance_uid": series.uid,
            "modality": series.modality,
            "series_number": str(series.place + 1),
            "series_description": f"Series {series.place + 1}",
            "laterality": "RL"[series.place % 2],
            "manufacturer": "Maker",
            "manufacturer_model_name": "Model",
            "device_serial_number": "1",
        }


def _instances(population: Population) -> _Rows:
    now = utc_now()
    for series in _all_series(population):
        for place, uid in enumerate(series.instance_uids()):
            yield {
                "series_key": series.number + 1,
                "sop_instance_uid": uid,
                "sop_class_uid": series.sop_class_uid,
                "transfer_syntax_uid": "1.2.840.10008.1.2.1",
                "instance_number": str(place + 1),
                "digest": "ab" * 32,
                "size_bytes": 1024,
                "storage_key": f"0/{uid}.dcm",
                "outcome": InstanceOutcome.NOT_MODEL_INPUT,
                "received_at": now,
                "number_of_frames": 1,
                "pixel_rows": 2,
                "pixel_columns": 2,
            }
