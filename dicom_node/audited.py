"""What peers ask for and bring, in the words of the audit trail."""

from collections.abc import Sequence
from typing import Final

from pynetdicom.association import Association
from sqlmodel import Session

from core.audit.recording import append_audit, note_audit
from core.audit.subjects import patients_of_studies
from core.database import Database
from core.values.audit import Actor, AuditAction, AuditEvent, AuditOutcome, DetailValue
from dicom_node.storage.query.finding import Found
from dicom_node.storage.selection import Selection

#: The role of an actor who called by DICOM.
PEER: Final = "peer"


def actor_of(association: Association) -> Actor:
    """Return who called."""
    requestor = association.requestor
    return Actor(requestor.ae_title.strip(), PEER, requestor.address or "")


def record_query(database: Database, actor: Actor, found: Found, sop_class_uid: str) -> None:
    """Record a C-FIND before it is answered.

    Raises
    ------
    DatabaseAway
        If it cannot be recorded; the query is refused then.
    """
    query = found.query
    event = AuditEvent(
        actor,
        AuditAction.SEARCH,
        patients=found.patients,
        detail={
            "service": "C-FIND",
            "sop_class": sop_class_uid,
            "level": str(query.level),
            "filters": sorted(query.matches),
            "count": len(found.keys),
        },
    )
    note_audit(database, event)


def record_retrieval(
    database: Database,
    association: Association,
    service: str,
    selection: Selection,
    count: int,
    destination: str = "",
) -> None:
    """Record a C-MOVE or C-GET before the first object goes out.

    Raises
    ------
    DatabaseAway
        If it cannot be recorded; the request is refused then.
    """
    subjects = selection.subjects(database)
    studies = sorted({uid for uid, _ in subjects})
    detail: dict[str, DetailValue] = {"service": service, "studies": studies, "count": count}
    if destination:
        detail["destination"] = destination
    event = AuditEvent(
        actor_of(association),
        AuditAction.RETRIEVE,
        object_kind="study" if studies else "",
        object_id=studies[0] if len(studies) == 1 else "",
        patients=[patient for _, patient in subjects],
        detail=detail,
    )
    note_audit(database, event)


def append_stores(
    session: Session,
    actor: Actor,
    kept: int,
    refused: int,
    studies: Sequence[str],
    service: str = "C-STORE",
) -> None:
    """Record what one association, or one batch, brought, in the caller's transaction."""
    event = AuditEvent(
        actor,
        AuditAction.STORE,
        object_kind="study" if studies else "",
        object_id=studies[0] if len(studies) == 1 else "",
        patients=patients_of_studies(session, studies),
        outcome=AuditOutcome.REFUSED if refused and not kept else AuditOutcome.SUCCESS,
        detail={"service": service, "studies": studies, "count": kept, "refused": refused},
    )
    append_audit(session, event)
