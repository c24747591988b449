"""Predictions as rows of a table, in the columns of `arcuate score --out` and some of the record.

Batch by batch: a table of any length takes the memory of one batch. Each is read for itself, so
that nobody waits for a client that reads slowly; a row is in the table once, whatever comes
meanwhile.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import Session, col

from api.rest.prediction_query import PredictionFilter
from api.rest.prediction_search import select_page
from core.audit.trail import note_patients
from core.database import Database
from core.perimetry.severity import severity_of
from core.reviews import last_reviews
from core.score_columns import COLUMNS, DECIMALS, NUMBERS
from core.tables.instances import InstanceRow
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.values.review import Review

Row = dict[str, Any]

_BATCH: Final = 500
#: Whose eye it is, of what, by which device, and what people decided.
RECORD_COLUMNS: Final = (
    "patient_id",
    "issuer",
    "study_instance_uid",
    "accession_number",
    "acquired_at",
    "received_at",
    "predicted_at",
    "manufacturer",
    "device_model",
    "device_serial_number",
    "age_years",
    "estimated_severity",
    "review",
)
EXPORT_COLUMNS: Final = (*COLUMNS, *RECORD_COLUMNS)
EXPORT_NUMBERS: Final = (*NUMBERS, "age_years")
_READ: Final[tuple[Any, ...]] = (
    col(PredictionRow.id),
    col(PredictionRow.status),
    col(PredictionRow.laterality),
    col(PredictionRow.reasons),
    col(PredictionRow.scan_kind),
    col(PredictionRow.sensitivities_db),
    col(PredictionRow.lower_db),
    col(PredictionRow.upper_db),
    col(PredictionRow.mean_deviation_db),
    col(PredictionRow.model_name),
    col(PredictionRow.model_version),
    col(PredictionRow.model_digest),
    col(PredictionRow.manufacturer),
    col(PredictionRow.manufacturer_model_name),
    col(PredictionRow.device_serial_number),
    col(PredictionRow.age_years),
    col(PredictionRow.acquired_at),
    col(PredictionRow.predicted_at),
    col(InstanceRow.received_at),
    col(StudyRow.study_instance_uid),
    col(StudyRow.accession_number),
    col(PatientRow.id).label("patient_key"),
    col(PatientRow.patient_id),
    col(PatientRow.issuer),
)


def export_batches(database: Database, query: PredictionFilter) -> Iterator[list[Row]]:
    """Return the rows of every prediction that matches, newest first, in batches.

    The page that a query may name is no matter: a table is whole.
    """
    after = None
    while True:
        with database.reading() as session:
            statement = select_page(query, after, _BATCH)
            positions = [(at, key) for at, key in session.execute(statement).all()]
            rows = _rows_of(session, [key for _, key in positions])
        if rows:
            yield rows
        if len(positions) < _BATCH:
            return
        after = positions[-1]


def _rows_of(session: Session, keys: list[str]) -> list[Row]:
    statement = (
        select(*_READ)
        .select_from(PredictionRow)
        .join(InstanceRow, col(InstanceRow.id) == col(PredictionRow.instance_key))
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
        .join(PatientRow, col(PatientRow.id) == col(StudyRow.patient_key))
        .where(col(PredictionRow.id).in_(keys))
    )
    found = {record.id: record for record in session.execute(statement)} if keys else {}
    note_patients(record.patient_key for record in found.values())
    reviews = last_reviews(session, keys)
    return [_row_of(found[key], reviews.get(key)) for key in keys if key in found]


def _row_of(record: Any, review: Review | None) -> Row:
    return {
        "eye_id": record.id,
        "laterality": record.laterality,
        "status": record.status,
        "reasons": " ".join(reason["code"] for reason in record.reasons),
        "explanation": " ".join(reason["message"] for reason in record.reasons),
        "profile_from": record.scan_kind,
        **_numbers(record, is_withheld=review is not None and review.withholds_numbers),
        # No reader of this table may take it for a measurement.
        "estimated": True,
        "model": record.model_name,
        "model_version": record.model_version,
        "model_digest": record.model_digest,
        **_of_the_record(record),
        "review": None if review is None else review.draft.decision.value,
    }


def _numbers(record: Any, *, is_withheld: bool) -> Row:
    if record.sensitivities_db is None or is_withheld:
        return dict.fromkeys((*NUMBERS, "estimated_severity"))
    # Of an eye without an age there is a field, and no deviation from the norm of that age.
    index = record.mean_deviation_db
    field = [*record.sensitivities_db, *record.lower_db, *record.upper_db, index]
    numbers = zip(NUMBERS, field, strict=True)
    rounded = {name: None if v is None else round(v, DECIMALS) for name, v in numbers}
    return {**rounded, "estimated_severity": None if index is None else severity_of(index).value}


def _of_the_record(record: Any) -> Row:
    return {
        "patient_id": record.patient_id,
        "issuer": record.issuer or None,
        "study_instance_uid": record.study_instance_uid,
        "accession_number": record.accession_number,
        "acquired_at": _text(record.acquired_at),
        "received_at": _text(record.received_at),
        "predicted_at": _text(record.predicted_at),
        "manufacturer": record.manufacturer,
        "device_model": record.manufacturer_model_name,
        "device_serial_number": record.device_serial_number,
        "age_years": None if record.age_years is None else round(record.age_years, DECIMALS),
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
