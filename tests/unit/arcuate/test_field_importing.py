from datetime import date
from hashlib import sha256

import pytest
from sqlmodel import col, select

from arcuate.field_importing import LineVerdict, import_fields
from arcuate.field_table import FieldLine, field_of
from core.clock import utc_now
from core.database import Database
from core.identities.history import Correction
from core.identities.merging import merge_patients
from core.identities.undoing import undo
from core.perimetry.pattern import LOCATIONS
from core.tables.columns import key_of
from core.tables.identity_changes import ChangeSource
from core.tables.measured_fields import MeasuredFieldRow
from core.tables.patients import PatientRow
from core.values.identity import PatientIdentity
from tests.builders.archive import keep_patient

_BORN = date(1950, 1, 1)


def _line(patient_id: str, **values: str) -> FieldLine:
    sensitivities = {f"Sens_{location}": "20" for location in LOCATIONS}
    values = {"PatID": patient_id, "Eye": "Right", "Age": "70", **sensitivities, **values}
    return FieldLine(2, values)


@pytest.fixture
def patients(database: Database) -> dict[str, int]:
    """Keys of three patients, of whom two have different birth dates."""
    with database.transaction() as session:
        return {
            name: key_of(keep_patient(session, PatientIdentity(name, "Clinic", "", born)))
            for name, born in (("A", None), ("B", _BORN), ("C", _BORN))
        }


def _correction() -> Correction:
    return Correction("one person", "admin", ChangeSource.PERSON, utc_now())


def _merge(database: Database, former_key: int, into_key: int) -> int:
    with database.transaction() as session:
        former, into = (session.get_one(PatientRow, key) for key in (former_key, into_key))
        return merge_patients(session, former, into, _correction()).id or 0


def _undo(database: Database, change_id: int) -> None:
    with database.transaction() as session:
        undo(session, change_id, _correction())


def _import(database: Database, line: FieldLine, issuer: str | None = None) -> LineVerdict:
    [outcome] = import_fields(database, [line], issuer)
    return outcome.verdict


def _owners(database: Database) -> list[int]:
    """Return whose each field is, in the order they were recorded in."""
    with database.reading() as session:
        owners = select(MeasuredFieldRow.patient_key).order_by(col(MeasuredFieldRow.id))
        return list(session.exec(owners).all())


def test_undone_merge_gives_back_what_was_imported_for_its_patient_id_since(
    database: Database, patients: dict[str, int]
) -> None:
    a, b = patients["A"], patients["B"]
    _import(database, _line("A", FieldN="1"))
    change = _merge(database, a, b)
    _import(database, _line("A", FieldN="2"))
    _import(database, _line("B", FieldN="3"))
    between = _owners(database)

    _undo(database, change)

    assert between == [b, b, b]
    assert _owners(database) == [a, a, b]


def test_undone_merge_gives_back_what_was_imported_for_an_id_that_was_merged_before(
    database: Database, patients: dict[str, int]
) -> None:
    first = _merge(database, patients["A"], patients["B"])
    second = _merge(database, patients["B"], patients["C"])
    _import(database, _line("A"))

    owners = [_owners(database)]
    for change in (second, first):
        _undo(database, change)
        owners.append(_owners(database))

    assert owners == [[patients[name]] for name in "CBA"]


def test_line_is_recorded_once_whatever_is_merged_and_taken_apart(
    database: Database, patients: dict[str, int]
) -> None:
    line = _line("A")
    verdicts = [_import(database, line)]
    change = _merge(database, patients["A"], patients["B"])
    verdicts.append(_import(database, line, issuer="Clinic"))
    _undo(database, change)
    verdicts.append(_import(database, line))

    assert verdicts == [LineVerdict.RECORDED, LineVerdict.KNOWN, LineVerdict.KNOWN]
    assert _owners(database) == [patients["A"]]


def test_same_values_of_two_patients_are_two_fields(
    database: Database, patients: dict[str, int]
) -> None:
    _merge(database, patients["A"], patients["B"])

    verdicts = [_import(database, _line(name)) for name in ("A", "B")]

    assert verdicts == [LineVerdict.RECORDED] * 2


def test_line_that_an_earlier_version_recorded_is_known(
    database: Database, patients: dict[str, int]
) -> None:
    line = _line("B", Date="2020-02-03")
    _import(database, line)
    field = field_of(line, _BORN)
    values = [point.sensitivity_db for point in field.points]
    former = (patients["B"], field.laterality, "", "2020-02-03T00:00:00", values)
    with database.transaction() as session:
        row = session.exec(select(MeasuredFieldRow)).one()
        row.source_key = "csv:" + sha256(repr(former).encode()).hexdigest()

    assert _import(database, line) is LineVerdict.KNOWN


def test_id_of_two_merged_records_stays_with_whom_they_became(
    database: Database, patients: dict[str, int]
) -> None:
    with database.transaction() as session:
        other = key_of(keep_patient(session, PatientIdentity("A", "Elsewhere")))
    changes = [_merge(database, key, patients["B"]) for key in (patients["A"], other)]
    _import(database, _line("A"))
    _import(database, _line("A", FieldN="2"), issuer="Elsewhere")

    for change in reversed(changes):
        _undo(database, change)

    assert _owners(database) == [patients["B"], other]
