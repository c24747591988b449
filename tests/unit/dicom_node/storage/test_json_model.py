import math
from io import BytesIO

import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicom_node.storage.json_model import json_of
from dicom_node.storage.kept_object import read_kept_object
from tests.builders.encoded_instance import encode_instance
from tests.builders.frames import document_instance

URL = "http://node/instances/1"


def attributes(data_set: bytes, syntax: str = ExplicitVRLittleEndian) -> dict[str, object]:
    return json_of(read_kept_object(BytesIO(data_set), 0, syntax), URL)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_text_of_any_character_set_becomes_utf_8(syntax: str) -> None:
    encoded = encode_instance(syntax, SpecificCharacterSet="ISO_IR 100", PatientName="Größe^Änne")

    found = attributes(encoded.data_set, syntax)

    assert found["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "Größe^Änne"}]}
    assert found["00080005"] == {"vr": "CS", "Value": ["ISO_IR 192"]}


def test_a_bad_value_hides_no_other() -> None:
    encoded = encode_instance(InstanceNumber=7).data_set
    broken = encoded.replace(b"\x20\x00\x13\x00IS\x02\x007 ", b"\x20\x00\x13\x00IS\x02\x00x?")

    found = attributes(broken)

    assert found["00200013"] == {"vr": "UN", "InlineBinary": "eD8="}
    assert found["00100020"] == {"vr": "LO", "Value": ["P1"]}


def test_what_is_not_a_number_is_empty() -> None:
    found = attributes(encode_instance(DepthSpatialResolution=math.nan).data_set)

    assert found["00220035"] == {"vr": "FL", "Value": [None]}


def test_small_values_stand_inline_and_large_ones_are_linked() -> None:
    large, small = Dataset(), Dataset()
    large.RedPaletteColorLookupTableData = bytes(2000)
    small.RedPaletteColorLookupTableData = b"\x01\x02"

    found = attributes(encode_instance(AcquisitionContextSequence=[large, small]).data_set)

    items = found["00400555"]["Value"]  # type: ignore[index]
    assert items[0]["00281201"]["BulkDataURI"] == f"{URL}/bulkdata/00400555/1/00281201"
    assert items[1]["00281201"]["InlineBinary"] == "AQI="


@pytest.mark.parametrize("length", [10, 200_000])
def test_documents_are_always_linked(length: int) -> None:
    found = attributes(document_instance(b"%" * length).data_set)

    assert found["00420011"] == {"vr": "OB", "BulkDataURI": f"{URL}/bulkdata/00420011"}
