"""Every kind of entry becomes messages that have the structure of PS3.15 A.5."""

import base64
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from core.tables.audit_entries import AuditEntryRow
from core.values.audit import AuditAction, AuditOutcome
from dicom_node.atna.message import Reporter, Subject, messages_of
from tests.builders.audit import MORNING
from tests.conftest import REPOSITORY

_SCHEMA = REPOSITORY / "tests/conformance/audit_message.rng"
_REPORTER = Reporter("ARCUATE", "node1.clinic.example")
_PATIENT = Subject(7, "MRN-1", "CLINIC", ("1.2.3",))


def entry(action: AuditAction, **changes: Any) -> AuditEntryRow:
    told: dict[str, Any] = {
        "number": 12,
        "at": MORNING,
        "actor": "clinic",
        "actor_role": "viewer",
        "address": "10.0.0.5",
        "action": action,
        "object_kind": "",
        "object_id": "",
        "patients": [7],
        "outcome": AuditOutcome.SUCCESS,
        "detail": {},
        "previous": "0" * 64,
        "digest": "a" * 64,
    }
    return AuditEntryRow(**{**told, **changes})


def written(row: AuditEntryRow, subjects: Sequence[Subject] = (_PATIENT,)) -> list[bytes]:
    return list(messages_of(row, subjects, _REPORTER))


def one(row: AuditEntryRow, subjects: Sequence[Subject] = (_PATIENT,)) -> ET.Element:
    [content] = written(row, subjects)
    return ET.fromstring(content)  # noqa: S314 - our own


_ROWS = {
    "page": entry(AuditAction.READ, object_kind="prediction", object_id="p1"),
    "study": entry(AuditAction.READ, object_kind="study", object_id="1.2.3"),
    "search": entry(
        AuditAction.SEARCH,
        detail={
            "service": "C-FIND",
            "sop_class": "1.2.840.10008.5.1.4.1.2.2.1",
            "level": "STUDY",
            "filters": ["PatientID"],
            "count": 3,
        },
    ),
    "route": entry(AuditAction.SEARCH, detail={"route": "/v1/patients", "count": 0}, patients=[]),
    "retrieve": entry(
        AuditAction.RETRIEVE,
        object_kind="study",
        object_id="1.2.3",
        detail={"service": "C-MOVE", "studies": ["1.2.3"], "count": 2, "destination": "VIEWER"},
    ),
    "store": entry(
        AuditAction.STORE,
        object_kind="study",
        object_id="1.2.3",
        detail={"service": "C-STORE", "studies": ["1.2.3"], "count": 2, "refused": 0},
    ),
    "deliver": entry(
        AuditAction.DELIVER, object_kind="delivery", object_id="4", detail={"destination": "pacs"}
    ),
    "export": entry(AuditAction.EXPORT, object_kind="prediction", object_id="p1"),
    "review": entry(AuditAction.CHANGE, object_kind="prediction", object_id="p1"),
    "peer": entry(AuditAction.CHANGE, object_kind="peer", object_id="OCT1", patients=[]),
    "key": entry(AuditAction.CREATE, object_kind="key", object_id="clinic", patients=[]),
    "removal": entry(AuditAction.DELETE, object_kind="study", object_id="1.2.3"),
    "login": entry(AuditAction.LOGIN, patients=[]),
    "failed login": entry(
        AuditAction.LOGIN_FAILED, patients=[], outcome=AuditOutcome.REFUSED, actor="unknown"
    ),
    "logout": entry(AuditAction.LOGOUT, patients=[]),
    "refusal": entry(
        AuditAction.READ,
        object_kind="prediction",
        object_id="p1",
        outcome=AuditOutcome.REFUSED,
        detail={"status": 403},
    ),
    "start": entry(AuditAction.START, object_kind="process", object_id="serve", address=""),
    "stop": entry(AuditAction.STOP, object_kind="process", object_id="serve", address=""),
    "audit": entry(AuditAction.AUDIT, object_kind="audit", patients=[]),
    "purge": entry(AuditAction.PURGE, object_kind="audit", patients=[]),
}
_EXPECTED = {
    "page": ("110110", "R", "0"),
    "study": ("110103", "R", "0"),
    "search": ("110112", "E", "0"),
    "route": ("110112", "E", "0"),
    "retrieve": ("110104", "R", "0"),
    "store": ("110104", "C", "0"),
    "deliver": ("110104", "R", "0"),
    "export": ("110106", "R", "0"),
    "review": ("110110", "U", "0"),
    "peer": ("110113", "E", "0"),
    "key": ("110113", "E", "0"),
    "removal": ("110105", "D", "0"),
    "login": ("110114", "E", "0"),
    "failed login": ("110114", "E", "4"),
    "logout": ("110114", "E", "0"),
    "refusal": ("110113", "E", "4"),
    "start": ("110100", "E", "0"),
    "stop": ("110100", "E", "0"),
    "audit": ("110101", "R", "0"),
    "purge": ("110113", "E", "0"),
}


def test_every_action_has_an_example() -> None:
    assert {row.action for row in _ROWS.values()} == set(AuditAction)


@pytest.mark.parametrize("name", _ROWS)
def test_message_is_of_the_event_it_tells(name: str) -> None:
    row = _ROWS[name]
    root = one(row, [_PATIENT] if row.patients else [])

    event = root.find("EventIdentification")
    assert event is not None
    code = event.find("EventID")
    assert code is not None
    told = (code.get("csd-code"), event.get("EventActionCode"), event.get("EventOutcomeIndicator"))
    assert told == _EXPECTED[name]
    assert event.get("EventDateTime") == "2026-03-04T08:00:00.000+00:00"


def test_every_message_has_the_structure_of_the_standard(
    tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("xmllint")
    files = []
    for name, row in _ROWS.items():
        for number, content in enumerate(written(row, [_PATIENT] if row.patients else [])):
            path = tmp_path / f"{name}-{number}.xml"
            path.write_bytes(content)
            files.append(str(path))

    check = subprocess.run(
        ["xmllint", "--noout", "--relaxng", str(_SCHEMA), *files],
        check=False,
        capture_output=True,
        text=True,
    )

    assert check.returncode == 0, check.stderr


def test_schema_refuses_what_is_no_such_message(
    tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("xmllint")
    path = tmp_path / "wrong.xml"
    root = one(_ROWS["page"])
    participant = root.find("ActiveParticipant")
    assert participant is not None
    del participant.attrib["UserID"]
    path.write_bytes(ET.tostring(root))

    check = subprocess.run(
        ["xmllint", "--noout", "--relaxng", str(_SCHEMA), str(path)],
        check=False,
        capture_output=True,
        text=True,
    )

    assert check.returncode != 0


def objects(root: ET.Element) -> dict[str, str]:
    """Return the IDs of the objects by the code of their kind."""
    found = {}
    for element in root.findall("ParticipantObjectIdentification"):
        code = element.find("ParticipantObjectIDTypeCode")
        assert code is not None
        identifier = element.get("ParticipantObjectID") or ""
        if not identifier.startswith("urn:arcuate:audit:"):
            found[code.get("csd-code") or ""] = identifier
    return found


def test_patient_is_named_by_the_real_id_and_the_study_by_its_uid() -> None:
    assert objects(one(_ROWS["retrieve"])) == {"110180": "1.2.3", "2": "MRN-1^^^CLINIC"}
    assert objects(one(_ROWS["page"])) == {"9": "p1", "2": "MRN-1^^^CLINIC"}


def test_each_patient_has_a_message_with_the_own_studies() -> None:
    other = Subject(8, "MRN-2", "", ("1.2.4",))

    messages = [ET.fromstring(m) for m in written(_ROWS["retrieve"], [_PATIENT, other])]  # noqa: S314

    assert [objects(message) for message in messages] == [
        {"110180": "1.2.3", "2": "MRN-1^^^CLINIC"},
        {"110180": "1.2.4", "2": "MRN-2"},
    ]


@pytest.mark.parametrize(
    ("patient_id", "told"),
    [
        ("A\x1b$B1", r"A\x1b$B1^^^CLINIC"),
        ("A\x0c1", r"A\x0c1^^^CLINIC"),
        ("A\ud8001", r"A\ud8001^^^CLINIC"),
        ("<A&1>", "<A&1>^^^CLINIC"),
        ("山1", "山1^^^CLINIC"),
    ],
)
def test_message_can_be_read_whatever_the_patient_id_holds(patient_id: str, told: str) -> None:
    root = one(_ROWS["page"], [Subject(7, patient_id, "CLINIC")])

    assert objects(root)["2"] == told


def test_query_tells_the_names_of_its_keys_and_no_patient() -> None:
    root = one(_ROWS["search"])

    assert objects(root) == {"110181": "1.2.840.10008.5.1.4.1.2.2.1"}
    query = root.find("ParticipantObjectIdentification/ParticipantObjectQuery")
    assert query is not None
    assert base64.b64decode(query.text or "") == b"PatientID"


def test_participants_are_who_asked_we_and_where_it_went() -> None:
    root = one(_ROWS["retrieve"])

    told = [
        (p.get("UserID"), p.get("UserIsRequestor"), p.get("NetworkAccessPointID"))
        for p in root.findall("ActiveParticipant")
    ]
    assert told == [
        ("clinic", "true", "10.0.0.5"),
        ("ARCUATE", "false", "node1.clinic.example"),
        ("VIEWER", "false", None),
    ]
