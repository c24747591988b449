"""What of a patient can be corrected: name, birth date and sex, as the history keeps them."""

from collections.abc import Mapping
from datetime import date

from sqlmodel import Session, col, select

from core.tables.identity_changes import IdentityChangeRow
from core.tables.patients import PatientRow
from core.values.person_name import FoldedName


def values_of(patient: PatientRow) -> dict[str, str | None]:
    """Return what of a patient can be corrected, as JSON."""
    born = patient.birth_date.isoformat() if patient.birth_date else None
    return {"name": patient.name, "birth_date": born, "sex": patient.sex}


def write_values(patient: PatientRow, values: Mapping[str, str | None]) -> None:
    """Write what `values_of` returned to a patient."""
    born, name = values["birth_date"], values["name"] or ""
    folded = FoldedName.of(name)
    patient.name, patient.sex = name, values["sex"]
    patient.birth_date = date.fromisoformat(born) if born else None
    patient.name_alphabetic = folded.alphabetic
    patient.name_ideographic, patient.name_phonetic = folded.ideographic, folded.phonetic


def is_corrected(session: Session, patient: PatientRow, said: Mapping[str, str | None]) -> bool:
    """Whether an object says something of a patient that was corrected since.

    What merely differs, as a name another device writes in another way, was not.

    Parameters
    ----------
    said
        As `values_of` returns it.
    """
    today = values_of(patient)
    differing = {(name, value) for name, value in said.items() if value != today[name]}
    return bool(differing and differing & _former_values(session, patient))


def is_born_anew(session: Session, patient: PatientRow) -> bool:
    """Whether the birth date of a patient was ever corrected."""
    return any(name == "birth_date" for name, _ in _former_values(session, patient))


def _former_values(session: Session, patient: PatientRow) -> set[tuple[str, str | None]]:
    """Return the names and values that corrections of a patient replaced, and those taken back."""
    statement = select(IdentityChangeRow.details).where(
        col(IdentityChangeRow.patient_key) == patient.id
    )
    corrected = [details for details in session.exec(statement).all() if "before" in details]
    return {
        (name, value)
        for details in corrected
        for name, value in details["before"].items()
        if value != details["after"][name]
    }
