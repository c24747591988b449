"""Finding patients as people look for them: by the beginning of what they know.

Names match as in a query of another system (PS3.4 C.2.2.2): without regard to case and width, in
each of the three groups, with `*` and `?`. People also write a name in other orders than DICOM, and
Chinese, Japanese and Korean names without anything between family and given name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, func, or_, select
from sqlmodel import Session, col

from core.patients import keys_of_today
from core.tables.patients import PatientRow
from core.tables.studies import StudyRow
from dicom_node.storage.query.attribute import ATTRIBUTES, PATIENTS, STUDIES
from dicom_node.storage.query.condition import condition_of
from dicom_node.storage.query.match import Match
from dicom_node.storage.query.parsing import parse_key
from dicom_node.storage.query.wildcard import has_wildcard

#: Patients that are looked at one by one within a tenth of a second.
MOST_WALKED: Final = 50_000
#: Letters of the longest family name that is written without a space behind it.
_LONGEST_FAMILY: Final = 3
#: Words of a name that are tried in other orders; more are taken as they stand.
_MOST_WORDS: Final = 4
#: Scripts that write no space between family and given name: from the first kana on, all of them.
_FIRST_UNSPACED: Final = "\u3040"


@dataclass(frozen=True)
class PatientSearch:
    """What is known of a patient; what is empty may be anything.

    Attributes
    ----------
    name, patient_id, accession_number
        The beginning, or a pattern with `*` and `?`.
    issuer
        The whole.
    """

    name: str = ""
    patient_id: str = ""
    issuer: str = ""
    accession_number: str = ""
    birth_date: date | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return self == PatientSearch()


@dataclass(frozen=True)
class FoundPatient:
    """A patient, and how often and when they were here.

    Attributes
    ----------
    last_visit
        Date of the newest study; None where no study names one.
    """

    row: PatientRow
    studies: int
    last_visit: date | None


def is_too_wide(session: Session, search: PatientSearch) -> bool:
    """Whether a search would have to look at every patient of a record with very many.

    No index finds what a text does not begin with.
    """
    texts = (search.name, search.patient_id, search.accession_number)
    narrows = any(text and not _begins_wild(text) for text in texts)
    if narrows or search.birth_date is not None or not any(texts):
        return False
    return (session.execute(select(func.max(PATIENTS.c.id))).scalar() or 0) > MOST_WALKED


def _begins_wild(text: str) -> bool:
    return has_wildcard(text[:1])


def find_patients(
    session: Session, search: PatientSearch, limit: int, before: int | None = None
) -> tuple[list[FoundPatient], int | None]:
    """Return patients, those that came last first, and the key to go on before; None at the end.

    Parameters
    ----------
    before
        The key that the page before ended with.

    Raises
    ------
    MatchingKeyInvalid
        If a text holds what no such value can.
    """
    statement = select_patients(search, session.connection().dialect.name, limit + 1, before)
    keys = list(session.execute(statement).scalars())
    page = keys[:limit]
    # A record that was merged is found as the one it was merged into.
    return _read(session, keys_of_today(session, page)), page[-1] if len(keys) > limit else None


def newest_patients(session: Session, limit: int) -> list[FoundPatient]:
    """Return the patients of the studies that came last."""
    # Several studies may be of one patient; a page need not be full.
    newest = select(STUDIES.c.patient_key).order_by(STUDIES.c.received_at.desc()).limit(3 * limit)
    keys = list(dict.fromkeys(session.execute(newest).scalars()))
    return _read(session, keys[:limit])


def select_patients(
    search: PatientSearch, dialect: str, limit: int, before: int | None = None
) -> Any:
    """Return the statement that selects the keys of what matches.

    What a record said before it was merged into another finds that other.
    """
    key = func.coalesce(PATIENTS.c.merged_into, PATIENTS.c.id).label("found")
    statement = select(key).distinct().where(*_conditions(search, dialect))
    if before is not None:
        statement = statement.where(key < before)
    # No index has this order: one that had would tempt either database to walk all of it.
    return statement.order_by(key.desc()).limit(limit)


def name_values(text: str) -> tuple[str, ...]:
    """Return the values of a person name, with wildcards, that somebody may mean by a text."""
    text = " ".join(text.split())
    if not text:
        return ()
    if has_wildcard(text) or "=" in text:
        return (text,)
    forms = [text, *_other_orders(text)] if "^" not in text else [text]
    return tuple(dict.fromkeys(f"{form}*" for form in forms))


def _other_orders(text: str) -> Iterator[str]:
    family, comma, given = text.partition(",")
    if comma:
        yield f"{family.strip()}^{given.strip()}".rstrip("^")
        return
    words = text.split(" ")
    for place in range(1, min(len(words), _MOST_WORDS)):
        first, rest = " ".join(words[:place]), " ".join(words[place:])
        yield f"{first}^{rest}"
        # Most people say the given name first.
        yield f"{rest}^{first}"
    if len(words) == 1 and text[0] >= _FIRST_UNSPACED:
        for place in range(1, min(len(text), _LONGEST_FAMILY + 1)):
            yield f"{text[:place]}^{text[place:]}"


def _conditions(search: PatientSearch, dialect: str) -> Iterator[ColumnElement[bool]]:
    names = [_parsed("PatientName", value) for value in name_values(search.name)]
    searched = ATTRIBUTES["PatientName"].searched
    if known := [match for match in names if match is not None]:
        yield or_(*(condition_of(searched, match, dialect) for match in known))
    if match := _beginning("PatientID", search.patient_id):
        yield condition_of([PATIENTS.c.patient_id], match, dialect)
    if match := _parsed("IssuerOfPatientID", search.issuer):
        yield condition_of([PATIENTS.c.issuer], match, dialect)
    if match := _beginning("AccessionNumber", search.accession_number):
        has = condition_of([STUDIES.c.accession_number], match, dialect)
        yield PATIENTS.c.id.in_(select(STUDIES.c.patient_key).where(has))
    if search.birth_date is not None:
        yield PATIENTS.c.birth_date == search.birth_date


def _beginning(keyword: str, text: str) -> Match | None:
    text = text.strip()
    return _parsed(keyword, text if has_wildcard(text) or not text else f"{text}*")


def _parsed(keyword: str, text: str) -> Match | None:
    return parse_key(keyword, ATTRIBUTES[keyword].vr, [text])


def _read(session: Session, keys: Sequence[int]) -> list[FoundPatient]:
    patients = select(PatientRow).where(col(PatientRow.id).in_(keys))
    rows = {row.id: row for row in session.execute(patients).scalars()}
    visits = (
        select(col(StudyRow.patient_key), func.count(), func.max(col(StudyRow.study_date)))
        .where(col(StudyRow.patient_key).in_(keys))
        .group_by(col(StudyRow.patient_key))
    )
    seen = {key: (count, last) for key, count, last in session.execute(visits)}
    return [FoundPatient(rows[key], *seen.get(key, (0, None))) for key in keys if key in rows]
