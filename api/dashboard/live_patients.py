"""Which patients a reader means by a few letters of a name or a Patient ID."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, func, or_, select
from sqlmodel import Session, col

from core.tables.patients import PatientRow
from core.values.person_name import fold_text

#: More patients than this are not told apart by what was typed.
MOST_PATIENTS: Final = 200


@dataclass(frozen=True)
class MeantPatients:
    """The keys of the patients meant, the newest first; `are_more` where there are too many."""

    keys: Sequence[int]
    are_more: bool


def find_meant(session: Session, text: str) -> MeantPatients:
    """Return the patients whose name or Patient ID holds every word of a text."""
    key = col(PatientRow.id)
    words = fold_text(text).split()
    # A record that was merged means the one it was merged into.
    today = func.coalesce(PatientRow.merged_into, PatientRow.id)
    statement = select(today).where(and_(*(_holds(word) for word in words)))
    keys = session.execute(statement.order_by(key.desc()).limit(MOST_PATIENTS + 1)).scalars().all()
    return MeantPatients(keys[:MOST_PATIENTS], len(keys) > MOST_PATIENTS)


def _holds(word: str) -> Any:
    columns = (
        col(PatientRow.patient_id),
        col(PatientRow.name_alphabetic),
        col(PatientRow.name_ideographic),
        col(PatientRow.name_phonetic),
    )
    return or_(*(column.icontains(word, autoescape=True) for column in columns))
