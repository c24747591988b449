"""Patients: finding one, and both eyes of one over time.

What is searched for comes in the body of a form, and a patient's page is named by the key of its
record: no address holds an identifier, a name or a birth date.
"""

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Path
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session

from api.dashboard.templating import render
from api.dashboard.trend_view import eyes_view
from api.dependencies import NodeParameter
from api.security import CallerParameter
from core.errors import RecordNotFound
from core.patients import former_identities
from core.perimetry.trend import MINIMUM_VISITS
from core.tables.patients import PatientRow
from core.trends.reading import MOST_RESULTS, read_trend, read_without_eye
from core.values.laterality import Laterality
from dicom_node.errors import MatchingKeyInvalid
from dicom_node.storage.patient_search import (
    FoundPatient,
    PatientSearch,
    find_patients,
    is_too_wide,
    newest_patients,
)

ROUTER: Final = APIRouter(include_in_schema=False)

_HERE: Final = "/patients"
_PAGE_LENGTH: Final = 50
_NEWEST: Final = 20
_LARGEST_KEY: Final = 2**31 - 1

Text = Annotated[str, Form(max_length=300)]
PatientKey = Annotated[int, Path(ge=1, le=_LARGEST_KEY)]


def searched_on_page(
    name: Text = "",
    patient_id: Text = "",
    issuer: Text = "",
    accession_number: Text = "",
    birth_date: Annotated[date | None, Form()] = None,
) -> PatientSearch:
    """Return what a form asks for."""
    return PatientSearch(
        name.strip(), patient_id.strip(), issuer.strip(), accession_number.strip(), birth_date
    )


@ROUTER.get(_HERE)
def show_search(node: NodeParameter, caller: CallerParameter) -> HTMLResponse:
    """Show the form, and the patients whose studies came last."""
    with node.database.reading() as session:
        found = newest_patients(session, _NEWEST)
    return render(
        "patients.html",
        here=_HERE,
        caller=caller,
        search=PatientSearch(),
        found=found,
        following=None,
        fault="",
        is_too_wide=False,
    )


@ROUTER.post(_HERE)
def search(
    node: NodeParameter,
    caller: CallerParameter,
    wanted: Annotated[PatientSearch, Depends(searched_on_page)],
    before: Annotated[int | None, Form(ge=1, le=_LARGEST_KEY)] = None,
) -> HTMLResponse:
    """Show the patients that a form asks for; nothing asked for is the list of the newest."""
    if wanted.is_empty:
        return show_search(node, caller)
    found: list[FoundPatient] = []
    following, fault = None, ""
    with node.database.reading() as session:
        is_wide = is_too_wide(session, wanted)
        try:
            if not is_wide:
                found, following = find_patients(session, wanted, _PAGE_LENGTH, before)
        except MatchingKeyInvalid as error:
            fault = error.keyword
    return render(
        "patients.html",
        here=_HERE,
        caller=caller,
        search=wanted,
        found=found,
        following=following,
        fault=fault,
        is_too_wide=is_wide,
    )


@ROUTER.get(_HERE + "/{key}", response_model=None)
def show_patient(
    node: NodeParameter, caller: CallerParameter, key: PatientKey
) -> HTMLResponse | RedirectResponse:
    """Show both eyes of a patient over time; of a merged record, those of whom it became."""
    with node.database.reading() as session:
        patient = _find(session, key)
        if patient.merged_into is not None:
            return RedirectResponse(f"{_HERE}/{patient.merged_into}", 303)
        former = former_identities(session, key)
        trends = [read_trend(session, key, eye) for eye in Laterality]
        without_eye = read_without_eye(session, key)
    return render(
        "patient.html",
        here=_HERE,
        caller=caller,
        patient=patient,
        eyes=eyes_view(trends),
        former=former,
        without_eye=without_eye,
        minimum_visits=MINIMUM_VISITS,
        most_results=MOST_RESULTS,
    )


def _find(session: Session, key: int) -> PatientRow:
    row = session.get(PatientRow, key)
    if row is None:
        raise RecordNotFound("There is no such patient")
    return row
