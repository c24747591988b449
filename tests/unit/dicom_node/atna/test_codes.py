"""Which act is which event of the standard."""

import pytest

from core.values.audit import AuditAction, AuditOutcome
from dicom_node.atna.codes import (
    INSTANCES_ACCESSED,
    PATIENT_RECORD,
    SECURITY_ALERT,
    Code,
    kind_of,
)


@pytest.mark.parametrize(
    ("object_kind", "event"),
    [
        ("patient", PATIENT_RECORD),
        ("identity-change", PATIENT_RECORD),
        ("study", INSTANCES_ACCESSED),
        ("peer", SECURITY_ALERT),
        ("", SECURITY_ALERT),
    ],
)
def test_change_is_told_by_what_it_changes(object_kind: str, event: Code) -> None:
    kind = kind_of(AuditAction.CHANGE, object_kind, AuditOutcome.SUCCESS, 200)

    assert kind.event == event
