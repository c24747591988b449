"""Whatever comes as the attributes of an N-CREATE or N-SET is read or refused, never a crash."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.dsutils import encode

from dicom_node.errors import NoticeRefused
from dicom_node.scp.attribute_list import (
    instances_of,
    optional_items,
    read_attributes,
    required_items,
    required_text,
    required_uid,
)

_SYNTAXES = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)


@dataclass(frozen=True)
class Read:
    """What the SCPs take from the attributes of a step that ended."""

    state: str
    studies: tuple[str, ...]
    instances: tuple[str, ...]


def _read(encoded: bytes, syntax: UID) -> Read:
    attributes = read_attributes(BytesIO(encoded), syntax)
    scheduled = required_items(attributes, "ScheduledStepAttributesSequence")
    series = optional_items(attributes, "PerformedSeriesSequence")
    return Read(
        required_text(attributes, "PerformedProcedureStepStatus"),
        tuple(required_uid(item, "StudyInstanceUID") for item in scheduled),
        instances_of(series, "ReferencedImageSequence"),
    )


def _item(**values: Any) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _encoded(syntax: UID) -> bytes:
    images = [_item(ReferencedSOPInstanceUID=uid) for uid in ("1.2.3", "1.2.4")]
    step = _item(
        PerformedProcedureStepStatus="COMPLETED",
        ScheduledStepAttributesSequence=[_item(StudyInstanceUID="1.2")],
        PerformedSeriesSequence=[_item(ReferencedImageSequence=images)],
    )
    encoded = encode(step, syntax.is_implicit_VR, syntax.is_little_endian)
    assert encoded is not None
    return encoded


def _is_read_or_refused(encoded: bytes, syntax: UID) -> None:
    try:
        read = _read(encoded, syntax)
    except NoticeRefused:
        return
    assert read.studies


@pytest.mark.parametrize("syntax", _SYNTAXES)
def test_whole_attributes_are_read(syntax: UID) -> None:
    assert _read(_encoded(syntax), syntax) == Read("COMPLETED", ("1.2",), ("1.2.3", "1.2.4"))


@given(encoded=st.binary(max_size=300), syntax=st.sampled_from(_SYNTAXES))
def test_any_bytes_are_read_or_refused(encoded: bytes, syntax: UID) -> None:
    _is_read_or_refused(encoded, syntax)


@given(data=st.data(), syntax=st.sampled_from(_SYNTAXES))
def test_damaged_attributes_are_read_or_refused(data: st.DataObject, syntax: UID) -> None:
    damaged = bytearray(_encoded(syntax))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(damaged)))

    _is_read_or_refused(bytes(damaged[:end]), syntax)
    _is_read_or_refused(bytes(damaged), syntax)
