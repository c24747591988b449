from datetime import UTC, date, datetime

import pytest
from sqlmodel import Session, select

from core.database import Database
from core.tables.patients import PatientRow
from core.tables.studies import StudyRow
from core.values.person_name import FoldedName
from dicom_node.errors import MatchingKeyInvalid
from dicom_node.storage import patient_search
from dicom_node.storage.patient_search import (
    PatientSearch,
    find_patients,
    is_too_wide,
    name_values,
    newest_patients,
    select_patients,
)
from tests.fixtures.query_plan import plan_of, reads_a_table_whole

_PEOPLE = {
    "P1": "Sample^Eye",
    "P2": "SAMPLESON^Eve^M",
    "P3": "Wang^Xiaoming=王^小明",
    "P4": "Ouyang^Na=歐陽^娜",
    "P5": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "P6": "Van der Berg^Jan",
    "P7": "Šťastná^Žofie",
    "P8": "Hong^Gildong=洪^吉洞=홍^길동",
}


def _keep(session: Session, patient_id: str, name: str, issuer: str = "", day: int = 1) -> None:
    folded = FoldedName.of(name)
    row = PatientRow(
        patient_id=patient_id,
        issuer=issuer,
        name=name,
        name_alphabetic=folded.alphabetic,
        name_ideographic=folded.ideographic,
        name_phonetic=folded.phonetic,
        birth_date=date(1950, 1, day),
    )
    session.add(row)
    session.flush()
    for number in range(2):
        study = StudyRow(
            patient_key=row.id,
            study_instance_uid=f"2.25.{row.id}{number}",
            accession_number=f"ACC-{patient_id}-{number}",
            study_date=date(2020 + number, 1, day),
            received_at=datetime(2021, 1, day, tzinfo=UTC),
        )
        session.add(study)
    session.flush()


@pytest.fixture
def people(database: Database) -> Database:
    with database.transaction() as session:
        for day, (patient_id, name) in enumerate(_PEOPLE.items(), start=1):
            _keep(session, patient_id, name, day=day)
        _keep(session, "P1", "Other^Person", issuer="Elsewhere", day=20)
    return database


def _found(database: Database, search: PatientSearch) -> list[str]:
    with database.reading() as session:
        found, _ = find_patients(session, search, 50)
    return [one.row.name.split("=")[0] for one in found]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("sample", ["SAMPLESON^Eve^M", "Sample^Eye"]),
        ("Sample, Eye", ["Sample^Eye"]),
        ("Eye Sample", ["Sample^Eye"]),
        ("sample eye", ["Sample^Eye"]),
        ("SAMPLE^E", ["Sample^Eye"]),
        ("*pleson^*", ["SAMPLESON^Eve^M"]),
        ("s?mple^eye", ["Sample^Eye"]),
        ("王小明", ["Wang^Xiaoming"]),
        ("王", ["Wang^Xiaoming"]),
        ("歐陽娜", ["Ouyang^Na"]),
        ("歐陽 娜", ["Ouyang^Na"]),
        ("やまだ", ["Yamada^Tarou"]),
        ("やまだたろう", ["Yamada^Tarou"]),
        ("山田太郎", ["Yamada^Tarou"]),
        ("홍길동", ["Hong^Gildong"]),
        ("ｙａｍａｄａ", ["Yamada^Tarou"]),
        ("van der berg jan", ["Van der Berg^Jan"]),
        ("Jan van der Berg", ["Van der Berg^Jan"]),
        ("šťastná", ["Šťastná^Žofie"]),
        ("=王*", ["Wang^Xiaoming"]),
        ("nobody", []),
        ("%", []),
        ("sample_on", []),
    ],
)
def test_names_are_found_as_people_write_them(
    people: Database, text: str, names: list[str]
) -> None:
    assert _found(people, PatientSearch(name=text)) == names


@pytest.mark.parametrize(
    ("search", "names"),
    [
        (PatientSearch(patient_id="P1"), ["Other^Person", "Sample^Eye"]),
        (PatientSearch(patient_id="P1", issuer="Elsewhere"), ["Other^Person"]),
        (PatientSearch(patient_id="1"), []),
        (PatientSearch(patient_id="*2"), ["SAMPLESON^Eve^M"]),
        (PatientSearch(accession_number="ACC-P3"), ["Wang^Xiaoming"]),
        (PatientSearch(accession_number="ACC-P3-1"), ["Wang^Xiaoming"]),
        (PatientSearch(birth_date=date(1950, 1, 2)), ["SAMPLESON^Eve^M"]),
        (PatientSearch(name="sample", birth_date=date(1950, 1, 1)), ["Sample^Eye"]),
    ],
)
def test_each_field_narrows(people: Database, search: PatientSearch, names: list[str]) -> None:
    assert _found(people, search) == names


def test_former_record_finds_whom_it_was_merged_into(people: Database) -> None:
    with people.transaction() as session:
        rows = {row.patient_id: row for row in session.exec(select(PatientRow)).all()}
        rows["P2"].merged_into = rows["P3"].id

    assert _found(people, PatientSearch(patient_id="P2")) == ["Wang^Xiaoming"]
    assert _found(people, PatientSearch(name="sampleson")) == ["Wang^Xiaoming"]
    # Once, though both records match.
    assert _found(people, PatientSearch(accession_number="ACC-P3")) == ["Wang^Xiaoming"]


def test_pages_go_on_without_gap_or_repeat(people: Database) -> None:
    seen, before = [], None
    while True:
        with people.reading() as session:
            found, before = find_patients(session, PatientSearch(), 2, before)
        seen += [one.row.id for one in found]
        if before is None:
            break

    assert seen == sorted(range(1, 10), reverse=True)


def test_visits_are_told_and_the_last_patients_first(people: Database) -> None:
    with people.reading() as session:
        newest = newest_patients(session, 2)

    assert [(one.row.name, one.studies, one.last_visit) for one in newest] == [
        ("Other^Person", 2, date(2021, 1, 20)),
        (_PEOPLE["P8"], 2, date(2021, 1, 8)),
    ]


@pytest.mark.parametrize("text", ["a\x00b", "\x1b", "x" * 300, "\ud800"])
def test_what_no_value_can_hold_is_refused(people: Database, text: str) -> None:
    with pytest.raises(MatchingKeyInvalid):
        _found(people, PatientSearch(patient_id=text))


def test_forms_of_one_text_are_few() -> None:
    assert name_values("") == name_values("   ") == ()
    assert len(name_values("a b c d e f g h i j k l")) <= 7
    assert len(name_values("王" * 60)) == 4


@pytest.mark.parametrize(
    ("search", "indexes"),
    [
        (
            PatientSearch(name="sample eye"),
            ["name_alphabetic_pattern", "name_ideographic_pattern", "name_phonetic_pattern"],
        ),
        (PatientSearch(name="王小明"), ["name_ideographic_pattern"]),
        (PatientSearch(patient_id="P1"), ["ix_patients_patient_id_pattern"]),
        (PatientSearch(accession_number="ACC-1"), ["ix_studies_accession_number_pattern"]),
        (PatientSearch(birth_date=date(1950, 1, 1)), ["ix_patients_birth_date"]),
    ],
)
def test_an_index_finds_it(database: Database, search: PatientSearch, indexes: list[str]) -> None:
    plan = plan_of(database, select_patients(search, database.engine.dialect.name, 51))

    for index in indexes:
        assert index in plan, plan
    assert not reads_a_table_whole(plan), plan


@pytest.mark.parametrize(
    ("search", "is_wide"),
    [
        (PatientSearch(name="*ang"), True),
        (PatientSearch(patient_id="?1"), True),
        (PatientSearch(name="*", issuer="Clinic"), True),
        (PatientSearch(name="*ang", patient_id="P"), False),
        (PatientSearch(name="*ang", birth_date=date(1950, 1, 1)), False),
        (PatientSearch(name="w*ang"), False),
        (PatientSearch(issuer="Clinic"), False),
    ],
)
def test_what_begins_wild_is_looked_for_among_few_patients_only(
    database: Database, monkeypatch: pytest.MonkeyPatch, search: PatientSearch, is_wide: bool
) -> None:
    with database.transaction() as session:
        for patient_id, name in _PEOPLE.items():
            _keep(session, patient_id, name)
    with database.reading() as session:
        assert not is_too_wide(session, search)

        monkeypatch.setattr(patient_search, "MOST_WALKED", 7)

        assert is_too_wide(session, search) is is_wide
