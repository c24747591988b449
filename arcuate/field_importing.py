"""Taking measured fields of a CSV file into the record, each to the patient its line names."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final

from sqlmodel import Session

from arcuate.field_table import FieldLine, field_of
from core.clock import Clock, utc_now
from core.database import Database
from core.measured_fields import Origin, key_of_named, record_measured_field
from core.patients import key_as_named, patients_named
from core.tables.columns import key_of
from core.tables.patients import PatientRow
from core.values.measured_field import FieldSource, MeasuredField

#: Lines recorded in one transaction.
_BATCH: Final = 100


class LineVerdict(StrEnum):
    """What became of a line."""

    RECORDED = "recorded"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(frozen=True)
class LineOutcome:
    """What became of a line, and why."""

    line: int
    verdict: LineVerdict
    message: str = ""


def import_fields(
    database: Database, lines: Sequence[FieldLine], issuer: str | None, clock: Clock = utc_now
) -> Iterator[LineOutcome]:
    """Record each line's field, yielding what became of it once that is committed.

    Again, or after an interruption, it records what is not there yet.
    """
    for start in range(0, len(lines), _BATCH):
        with database.transaction() as session:
            outcomes = [
                _import(session, line, issuer, clock()) for line in lines[start : start + _BATCH]
            ]
        yield from outcomes


def count(outcomes: Sequence[LineOutcome]) -> Counter[LineVerdict]:
    """Return how many lines ended how."""
    return Counter(outcome.verdict for outcome in outcomes)


def _import(session: Session, line: FieldLine, issuer: str | None, at: datetime) -> LineOutcome:
    patients = patients_named(session, line.patient_id, issuer)
    if len(patients) != 1:
        cause = (
            "several issuers use this PatID: name one with --issuer"
            if patients
            else "no patient is kept under this PatID yet: send a scan first, then import again"
        )
        return LineOutcome(line.number, LineVerdict.REFUSED, cause)
    try:
        field = field_of(line, patients[0].birth_date)
    except ValueError as fault:
        return LineOutcome(line.number, LineVerdict.REFUSED, str(fault))
    named_key = key_as_named(session, line.patient_id, issuer, patients[0])
    is_new = record_measured_field(session, field, _origin(line, patients[0], named_key, field), at)
    return LineOutcome(line.number, LineVerdict.RECORDED if is_new else LineVerdict.KNOWN)


def _origin(line: FieldLine, patient: PatientRow, named_key: int, field: MeasuredField) -> Origin:
    patient_key = key_of(patient)
    return Origin(
        patient_key,
        FieldSource.CSV,
        key_of_named(named_key, _digest(line, field)),
        former_keys=tuple(_former_key(line, key, field) for key in (named_key, patient_key)),
    )


def _digest(line: FieldLine, field: MeasuredField) -> str:
    """Return what names a test of a patient: which eye, when as the line says, what was found.

    A day that follows from the age is another where the birth date was corrected.
    """
    number, day, age = (line.values.get(name, "").strip() for name in ("FieldN", "Date", "Age"))
    return _hashed((field.laterality, number, day or age, _found(field)))


def _former_key(line: FieldLine, patient_key: int, field: MeasuredField) -> str:
    """Return how tests were named before it was kept which Patient ID their line names."""
    number, at = line.values.get("FieldN", ""), field.measured_at
    parts = (patient_key, field.laterality, number, at.isoformat() if at else "", _found(field))
    return "csv:" + _hashed(parts)


def _found(field: MeasuredField) -> list[float | None]:
    return [point.sensitivity_db for point in field.points]


def _hashed(parts: tuple[object, ...]) -> str:
    return sha256(repr(parts).encode()).hexdigest()
