"""Reads what a STOW-RS service says of one object (PS3.18 10.5.3)."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from dicom_node.calling_errors import DestinationDown
from dicom_node.delivery.targets.native_model import read_xml
from dicom_node.delivery.targets.store_status import verdict_of
from dicom_node.delivery.targets.target import Verdict

_FAILED_SOP_SEQUENCE: Final = "00081198"
_FAILURE_REASON: Final = "00081197"
_WARNING_REASON: Final = "00081196"
_REFERENCED_SOP_SEQUENCE: Final = "00081199"
_REFERENCED_SOP_INSTANCE_UID: Final = "00081155"
_TAG: Final = re.compile(r"[0-9A-Fa-f]{8}")


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
        200, 202 or 409; it counts where the body does not name the object.

    Raises
    ------
    DestinationDown
        If the object was said to be taken, but not in a DICOM response: something else than the
        service answered, as the login page of what stands before it.
    """
    document = _parse(content)
    if document is None and status != HTTPStatus.CONFLICT:
        raise DestinationDown(
            f"The service answered {status} without a DICOM response (application/dicom+json or "
            "+xml): does something else answer there, as a login page?"
        )
    document = document or {}
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


def _parse(content: bytes) -> dict[str, Any] | None:
    """Return a response as DICOM JSON; None where it is none."""
    if content.lstrip().startswith(b"<"):
        return read_xml(content)
    try:
        document = json.loads(content)
    except ValueError:
        return None
    # Some services answer with a list of one.
    if isinstance(document, list) and document:
        document = document[0]
    is_data_set = isinstance(document, dict) and all(map(_TAG.fullmatch, document))
    return document if is_data_set else None


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
