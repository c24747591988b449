"""Reads what a STOW-RS service says of one object (PS3.18 10.5.3)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from dicom_node.delivery.targets.store_status import verdict_of
from dicom_node.delivery.targets.target import Verdict

_FAILED_SOP_SEQUENCE: Final = "00081198"
_FAILURE_REASON: Final = "00081197"
_WARNING_REASON: Final = "00081196"
_REFERENCED_SOP_SEQUENCE: Final = "00081199"
_REFERENCED_SOP_INSTANCE_UID: Final = "00081155"


@dataclass(frozen=True)
class Told:
    """What became of the object, and what was said."""

    verdict: Verdict
    message: str = ""


def read_answer(status: int, content: bytes, sop_instance_uid: str) -> Told:
    """Return what an answer says of the one object that was sent.

    Parameters
    ----------
    status
        200, 202 or 409; it counts where the body cannot be read or does not name the object.
    """
    document = _parse(content)
    reasons = list(_reasons(document, _FAILED_SOP_SEQUENCE, _FAILURE_REASON, sop_instance_uid))
    if reasons:
        verdict = verdict_of(reasons[0])
        return Told(verdict, f"The service gave the failure reason 0x{reasons[0]:04X}")
    if status == HTTPStatus.CONFLICT:
        return Told(Verdict.REFUSED, "The service answered 409 Conflict without a reason")
    warnings = _reasons(document, _REFERENCED_SOP_SEQUENCE, _WARNING_REASON, sop_instance_uid)
    first = next(warnings, None)
    remark = "" if first is None else f"The service warned with 0x{first:04X}"
    return Told(Verdict.DELIVERED, remark)


def _parse(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError:
        return {}
    # Some services answer with a list of one.
    if isinstance(document, list) and document:
        document = document[0]
    return document if isinstance(document, dict) else {}


def _reasons(document: dict[str, Any], sequence: str, reason: str, uid: str) -> Iterator[int]:
    """Yield the reasons in the items that name the object, or name none."""
    for item in _values(document, sequence):
        if not isinstance(item, dict):
            continue
        named = _values(item, _REFERENCED_SOP_INSTANCE_UID)
        if named and named[0] != uid:
            continue
        for value in _values(item, reason)[:1]:
            if isinstance(value, int):
                yield value


def _values(item: dict[str, Any], tag: str) -> list[Any]:
    element = item.get(tag)
    value = element.get("Value") if isinstance(element, dict) else None
    return value if isinstance(value, list) else []
