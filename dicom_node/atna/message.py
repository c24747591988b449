"""One entry of the trail as an audit message (PS3.15 A.5): XML, one for each patient it names."""

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from xml.etree import ElementTree as ET

from core.tables.audit_entries import AuditEntryRow
from core.values.audit import AuditAction
from dicom_node.atna.codes import (
    APPLICATION,
    AUDIT_LOG_USED,
    DESTINATION,
    INSTANCES_ACCESSED,
    INSTANCES_TRANSFERRED,
    LAUNCHER,
    OUTCOMES,
    PATIENT_NUMBER,
    QUERY,
    REPORT_NUMBER,
    SOP_CLASS_UID,
    SOURCE,
    STUDY_DELETED,
    STUDY_UID,
    URI,
    Code,
    Kind,
    kind_of,
)

_PERSON, _SYSTEM = "1", "2"
_PATIENT, _REPORT, _SECURITY_RESOURCE, _QUERY = "1", "3", "13", "24"
#: In one line: collectors take a line feed for the end of a message, or escape it.
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'
#: Characters that no XML 1.0 may hold; a Patient ID is a stranger's text and may.
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OF_STUDIES = (INSTANCES_ACCESSED, INSTANCES_TRANSFERRED, STUDY_DELETED)


@dataclass(frozen=True)
class Subject:
    """A patient of an entry, with the real ID: it goes into these messages and nowhere else.

    Attributes
    ----------
    studies
        Study Instance UIDs of the entry that are this patient's.
    """

    key: int
    patient_id: str
    issuer: str
    studies: Sequence[str] = ()


@dataclass(frozen=True)
class Reporter:
    """Who tells it: our AE title, and the name of this machine."""

    ae_title: str
    host: str


def messages_of(
    row: AuditEntryRow, subjects: Sequence[Subject], reporter: Reporter
) -> Iterator[bytes]:
    """Yield the messages of an entry, UTF-8.

    A message names one patient at most, so an entry about several becomes several; a query names
    none, but what it asked.
    """
    kind = kind_of(row.action, row.object_kind, row.outcome, row.detail.get("status"))
    told: Sequence[Subject | None] = subjects if subjects and kind.event != QUERY else [None]
    for subject in told:
        yield _message(row, kind, subject, reporter)


def _message(row: AuditEntryRow, kind: Kind, subject: Subject | None, reporter: Reporter) -> bytes:
    root = ET.Element("AuditMessage")
    _add_event(root, row, kind)
    _add_participants(root, row, kind, reporter)
    source = ET.SubElement(root, "AuditSourceIdentification", AuditSourceID=reporter.ae_title)
    ET.SubElement(source, "AuditSourceTypeCode", {"csd-code": "4"})
    _add_objects(root, row, kind, subject)
    text: str = ET.tostring(root, encoding="unicode")
    return _DECLARATION + _NOT_XML.sub(_escaped, text).encode()


def _escaped(found: re.Match[str]) -> str:
    # Kept apart from each other: two IDs must not become one.
    return found[0].encode("unicode_escape").decode("ascii")


def _add_event(root: ET.Element, row: AuditEntryRow, kind: Kind) -> None:
    event = ET.SubElement(
        root,
        "EventIdentification",
        EventActionCode=kind.action,
        EventDateTime=row.at.isoformat(timespec="milliseconds"),
        EventOutcomeIndicator=OUTCOMES[row.outcome],
    )
    _add_code(event, "EventID", kind.event)
    if kind.type is not None:
        _add_code(event, "EventTypeCode", kind.type)


def _add_participants(root: ET.Element, row: AuditEntryRow, kind: Kind, reporter: Reporter) -> None:
    ours, theirs = _roles(row.action)
    _add_participant(root, row.actor, row.address, ours=False, role=theirs)
    _add_participant(root, reporter.ae_title, reporter.host, ours=True, role=ours)
    destination = row.detail.get("destination")
    if kind.event == INSTANCES_TRANSFERRED and destination:
        _add_participant(root, str(destination), "", ours=False, role=DESTINATION, asks=False)


def _roles(action: str) -> tuple[Code | None, Code | None]:
    """Return our role and that of who acted."""
    match action:
        case AuditAction.START | AuditAction.STOP:
            return APPLICATION, LAUNCHER
        case AuditAction.STORE:
            return DESTINATION, SOURCE
        case AuditAction.SEARCH:
            return DESTINATION, SOURCE
        case AuditAction.RETRIEVE | AuditAction.EXPORT:
            return SOURCE, DESTINATION
        case AuditAction.DELIVER:
            return SOURCE, None
    return APPLICATION, None


def _add_participant(
    root: ET.Element,
    user: str,
    address: str,
    *,
    ours: bool,
    role: Code | None,
    asks: bool | None = None,
) -> None:
    requests = not ours if asks is None else asks
    values = {"UserID": user or "unknown", "UserIsRequestor": str(requests).lower()}
    if address:
        values["NetworkAccessPointID"] = address
        values["NetworkAccessPointTypeCode"] = "2" if _is_address(address) else "1"
    participant = ET.SubElement(root, "ActiveParticipant", values)
    if role is not None:
        _add_code(participant, "RoleIDCode", role)


def _add_objects(root: ET.Element, row: AuditEntryRow, kind: Kind, subject: Subject | None) -> None:
    if kind.event in _OF_STUDIES:
        for uid in subject.studies if subject else _studies_of(row):
            study = _add_object(root, uid, _SYSTEM, _REPORT, STUDY_UID, uid)
            _describe(study, row)
    if kind.event == QUERY:
        _add_query(root, row)
    elif kind.event == AUDIT_LOG_USED:
        name = "Security Audit Log"
        _add_object(root, "urn:arcuate:audit", _SYSTEM, _SECURITY_RESOURCE, URI, name)
    elif row.object_kind in {"prediction", "delivery"}:
        _add_object(root, row.object_id, _SYSTEM, _REPORT, REPORT_NUMBER, row.object_kind)
    elif row.object_kind and kind.event not in _OF_STUDIES and row.object_kind != "patient":
        named = f"urn:arcuate:{row.object_kind}:{row.object_id}"
        _add_object(root, named, _SYSTEM, _SECURITY_RESOURCE, URI, row.object_kind)
    if subject is not None:
        number = (
            f"{subject.patient_id}^^^{subject.issuer}" if subject.issuer else subject.patient_id
        )
        _add_object(root, number, _PERSON, _PATIENT, PATIENT_NUMBER, f"key {subject.key}")
    # So that a collector knows what came twice, and holds what the chain can be checked by.
    entry = f"urn:arcuate:audit:{row.number}"
    _add_object(root, entry, _SYSTEM, _SECURITY_RESOURCE, URI, row.digest)


def _studies_of(row: AuditEntryRow) -> Sequence[str]:
    named = row.detail.get("studies")
    if isinstance(named, list) and named:
        return [str(uid) for uid in named]
    return [row.object_id] if row.object_kind == "study" and row.object_id else []


def _describe(study: ET.Element, row: AuditEntryRow) -> None:
    description = ET.SubElement(study, "ParticipantObjectDescription")
    count = row.detail.get("count")
    if isinstance(count, int):
        ET.SubElement(description, "SOPClass", NumberOfInstances=str(count))


def _add_query(root: ET.Element, row: AuditEntryRow) -> None:
    asked = str(row.detail.get("sop_class") or row.detail.get("route") or "search")
    values = {
        "ParticipantObjectID": asked,
        "ParticipantObjectTypeCode": _SYSTEM,
        "ParticipantObjectTypeCodeRole": _QUERY,
    }
    query = ET.SubElement(root, "ParticipantObjectIdentification", values)
    _add_code(query, "ParticipantObjectIDTypeCode", SOP_CLASS_UID if _is_dimse(row) else URI)
    names = " ".join(map(str, row.detail.get("filters", [])))
    ET.SubElement(query, "ParticipantObjectQuery").text = _base64(names)
    for name in ("level", "count"):
        if name in row.detail:
            value = _base64(str(row.detail[name]))
            ET.SubElement(query, "ParticipantObjectDetail", type=name, value=value)


def _add_object(
    root: ET.Element, identifier: str, kind: str, role: str, type_code: Code, name: str
) -> ET.Element:
    values = {
        "ParticipantObjectID": identifier,
        "ParticipantObjectTypeCode": kind,
        "ParticipantObjectTypeCodeRole": role,
    }
    element = ET.SubElement(root, "ParticipantObjectIdentification", values)
    _add_code(element, "ParticipantObjectIDTypeCode", type_code)
    ET.SubElement(element, "ParticipantObjectName").text = name
    return element


def _add_code(parent: ET.Element, name: str, code: Code) -> None:
    values = {
        "csd-code": code.value,
        "codeSystemName": code.scheme,
        "originalText": code.meaning,
    }
    ET.SubElement(parent, name, values)


def _is_dimse(row: AuditEntryRow) -> bool:
    return "sop_class" in row.detail


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
