from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID

from core.clock import utc_now
from core.database import Database
from core.identities.history import Correction
from core.identities.moving import move_study
from core.identities.undoing import undo
from core.pseudonyms import Pseudonyms, capped_age_years, pseudonyms_of, shifted
from core.tables.identity_changes import ChangeSource
from core.tables.patients import PatientRow
from core.tables.studies import StudyRow
from core.values.identity import PatientIdentity

PATIENT = PatientIdentity("P-0001", "Clinic", "Sample^Eye", date(1958, 3, 1), "F")
NAMES = Pseudonyms(bytes(32), "glaucoma")


def test_patient_is_known_by_id_and_issuer_alone() -> None:
    renamed = PatientIdentity("P-0001", "Clinic", "Sample^Eye^^Dr")
    elsewhere = PatientIdentity("P-0001", "Other")

    assert NAMES.patient(renamed) == NAMES.patient(PATIENT)
    assert NAMES.patient(elsewhere) != NAMES.patient(PATIENT)
    assert NAMES.days_back(renamed) == NAMES.days_back(PATIENT)


def test_parts_do_not_run_into_each_other() -> None:
    assert NAMES.patient(PatientIdentity("ab", "c")) != NAMES.patient(PatientIdentity("a", "bc"))
    assert NAMES.digest("uid", "1.2") != NAMES.digest("result", "1.2")


@pytest.mark.parametrize(
    "other", [Pseudonyms(bytes(32), "retina"), Pseudonyms(b"1" * 32, "glaucoma")]
)
def test_other_project_or_node_has_other_pseudonyms(other: Pseudonyms) -> None:
    assert other.patient(PATIENT) != NAMES.patient(PATIENT)
    assert other.uid("1.2.3") != NAMES.uid("1.2.3")
    assert other.result("p1") != NAMES.result("p1")


@given(st.text(max_size=64), st.text(max_size=64), st.text(max_size=64))
def test_every_text_has_a_pseudonym(patient_id: str, issuer: str, uid: str) -> None:
    patient = PatientIdentity(patient_id, issuer)

    assert len(NAMES.patient(patient)) == 18
    assert 365 <= NAMES.days_back(patient) <= 3650
    assert UID(NAMES.uid(uid)).is_valid
    assert NAMES.uid(uid).startswith("2.25.")


def test_intervals_of_a_patient_stay() -> None:
    back = NAMES.days_back(PATIENT)
    first, second = date(2024, 2, 28), date(2025, 3, 1)

    moved = shifted(first, back), shifted(second, back)

    assert moved[0] is not None
    assert moved[1] is not None
    assert moved[1] - moved[0] == second - first
    assert moved[1] <= date(2024, 3, 1)


def test_day_before_the_calendar_has_no_other() -> None:
    assert shifted(date(1, 1, 2), 365) is None
    assert shifted(datetime(1, 1, 2, tzinfo=UTC), 365) is None


def test_ages_are_whole_and_end_at_ninety() -> None:
    assert [capped_age_years(age) for age in (None, 52.9, 89.99, 90.0, 104.2)] == [
        None,
        52,
        89,
        90,
        90,
    ]


def test_secret_is_made_once_by_whoever_comes_first(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: pseudonyms_of(database, "p").patient(PATIENT), range(8)))

    assert len(set(made)) == 1
    assert pseudonyms_of(database, "p").patient(PATIENT) == made[0]


def _keep_studies(database: Database) -> None:
    """Two studies of ID-1, one of ID-2, and a record of ID-3 that is empty."""
    with database.transaction() as session:
        for number in (1, 2, 3):
            session.add(PatientRow(patient_id=f"ID-{number}"))
        session.flush()
        for number, patient_key in enumerate((1, 1, 2)):
            uid, at = f"1.2.{number}", datetime(2024, 1, 1, tzinfo=UTC)
            row = StudyRow(patient_key=patient_key, study_instance_uid=uid, received_at=at)
            session.add(row)


def _move(database: Database, study_key: int, patient_key: int) -> None:
    by = Correction("wrong number", "admin", ChangeSource.PERSON, utc_now())
    with database.transaction() as session:
        study = session.get_one(StudyRow, study_key)
        move_study(session, study, session.get_one(PatientRow, patient_key), by)


def _named(database: Database) -> list[str]:
    names = pseudonyms_of(database, "p")
    return [names.patient(PatientIdentity(f"ID-{number}")) for number in (1, 2, 3)]


def test_corrected_patient_id_keeps_its_pseudonym(database: Database) -> None:
    _keep_studies(database)
    first, second, third = _named(database)

    _move(database, 1, 3)
    # One study was another person's: the rest still is who it was.
    assert _named(database) == [first, second, third]
    _move(database, 2, 3)

    assert _named(database) == [first, second, first]
    with database.transaction() as session:
        undo(session, 2, Correction("no", "admin", ChangeSource.PERSON, utc_now()))
    assert _named(database) == [first, second, third]


def test_patient_who_was_there_already_keeps_their_own_pseudonym(database: Database) -> None:
    _keep_studies(database)
    before = _named(database)

    _move(database, 3, 1)

    assert _named(database) == before
