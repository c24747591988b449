"""`/v1/audit`: who saw or changed what; for administrators."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field
from sqlmodel import Session, col

from api.dependencies import NodeParameter
from api.rest.pages import integer_page, listing_of
from api.schemas.audit import AuditEntryOut
from api.schemas.listing import Listing, PageQuery
from api.schemas.problem import problems
from core.audit.search import AuditFilter, select_entries
from core.patients import find_patient
from core.tables.audit_entries import AuditEntryRow
from core.values.audit import AuditAction, AuditOutcome

ROUTER: Final = APIRouter(prefix="/v1/audit", tags=["operations"])


class AuditQuery(PageQuery):
    """Which entries; every filter narrows the list."""

    patient_key: Annotated[
        int | None, Field(ge=1, lt=2**31, description="Key of the patient's record.")
    ] = None
    patient_id: str | None = None
    issuer: Annotated[str | None, Field(description="Beside `patient_id`; empty: none.")] = None
    actor: str | None = None
    action: AuditAction | None = None
    outcome: AuditOutcome | None = None
    object_kind: str | None = None
    object_id: str | None = None
    since: Annotated[AwareDatetime | None, Field(description="From this moment on.")] = None
    until: Annotated[AwareDatetime | None, Field(description="Before this moment.")] = None

    def filter(self, session: Session) -> AuditFilter:
        """Return what to look for.

        Raises
        ------
        RecordNotFound, AmbiguousPatient
            If the Patient ID names none, or several.
        """
        patient_key = self.patient_key
        if self.patient_id is not None:
            patient_key = find_patient(session, self.patient_id, self.issuer).id
        return AuditFilter(
            patient_key,
            self.actor,
            self.action,
            self.outcome,
            self.object_kind,
            self.object_id,
            self.since,
            self.until,
        )


@ROUTER.get("", summary="The audit trail, newest first", responses=problems(400, 403, 404, 409))
def list_entries(
    node: NodeParameter, query: Annotated[AuditQuery, Query()]
) -> Listing[AuditEntryOut]:
    """Return who saw or changed what; `arcuate audit verify` tells whether the chain is whole."""
    with node.database.reading() as session:
        statement: Any = select_entries(query.filter(session))
        rows, following = integer_page(
            session,
            statement,
            col(AuditEntryRow.number),
            query,
            "audit",
            _number_of,
            newest_first=True,
        )
    return listing_of([AuditEntryOut.model_validate(row) for row in rows], following)


def _number_of(row: AuditEntryRow) -> int:
    return row.number
