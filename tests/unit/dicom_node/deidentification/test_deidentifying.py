"""Whole objects: what goes, what stays, what it is marked with."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import DataElement, Dataset
from pydicom._dicom_dict import DicomDictionary
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from dicom_node.deidentification.deidentifying import Deidentifier
from dicom_node.deidentification.options import Option
from tests.builders.identified import (
    NAMES,
    PERSON,
    as_file,
    assert_names_nobody,
    deidentified,
    identified,
)
from tests.unit.dicom_node.deidentification.test_table import TELLING

ALL = tuple(Option)
_FIXED = {0x0000, 0x0002, 0x0004}
#: An object is not one without them; UIDs of classes name no one.
_NEEDED = {"SOPInstanceUID", "SpecificCharacterSet"}
ELEMENTS = st.sampled_from(
    [
        (tag, entry[0].split(" or ")[0])
        for tag, entry in DicomDictionary.items()
        if tag >> 16 not in _FIXED
        and entry[4] not in _NEEDED
        and not entry[4].endswith("SOPClassUID")
        # Of these kinds whatever names somebody must go, in whichever attribute it stands.
        and entry[0] in set(TELLING) - {"AS", "CS", "DS", "IS", "TM", "OB"}
    ]
)


def _nested(tag: int, vr: str, depth: int) -> Dataset:
    dataset = Dataset()
    dataset[tag] = DataElement(tag, vr, TELLING[vr])
    for _ in range(depth):
        outer = Dataset()
        outer.SharedFunctionalGroupsSequence = [dataset]
        dataset = outer
    return dataset


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ELEMENTS, st.integers(0, 3), st.sets(st.sampled_from(ALL)))
def test_no_attribute_of_any_kind_names_the_person(
    element: tuple[int, str], depth: int, options: set[Option]
) -> None:
    dataset = identified()
    dataset.update(_nested(*element, depth))
    kept = ("SN-31337",) if Option.DEVICE_IDENTITY in options else ()
    if Option.DEVICE_IDENTITY in options and element[1] == "UI":
        kept += ("1.2.840.99999.7",)

    assert_names_nobody(deidentified(dataset, *options), *kept)


@given(st.integers(0x0009, 0xFFFF).filter(lambda group: group % 2), st.binary(max_size=16))
@settings(max_examples=50, deadline=None)
def test_private_groups_are_dropped(group: int, value: bytes) -> None:
    dataset = identified()
    block = dataset.private_block(group, "Okonkwo", create=True)
    block.add_new(0x01, "UN", value)
    block.add_new(0x02, "SQ", [identified()])

    cleaned = deidentified(dataset, *ALL)

    assert [element.tag for element in cleaned.iterall() if element.tag.is_private] == []


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_encoding_stays_what_it_is(syntax: str) -> None:
    cleaned = deidentified(identified(), syntax=syntax)

    assert cleaned.file_meta.TransferSyntaxUID == syntax
    assert cleaned.PixelData == identified().PixelData
    assert_names_nobody(cleaned)


def test_object_says_what_was_done_to_it() -> None:
    cleaned = deidentified(identified(), Option.MODIFIED_DATES, Option.DEVICE_IDENTITY)

    codes = [item.CodeValue for item in cleaned.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113107", "113109"]
    assert cleaned.PatientIdentityRemoved == "YES"
    assert cleaned.LongitudinalTemporalInformationModified == "MODIFIED"
    assert deidentified(identified()).LongitudinalTemporalInformationModified == "REMOVED"
    assert "SourceApplicationEntityTitle" not in cleaned.file_meta
    assert cleaned.preamble == bytes(128)


def test_patient_and_uids_have_their_pseudonyms() -> None:
    cleaned = deidentified(identified())

    assert cleaned.PatientID == cleaned.PatientName == NAMES.patient(PERSON)
    assert cleaned.StudyInstanceUID == NAMES.uid("1.2.840.99999.7.1")
    assert cleaned.SOPInstanceUID == NAMES.uid("1.2.840.99999.7.3")
    assert cleaned.file_meta.MediaStorageSOPInstanceUID == cleaned.SOPInstanceUID
    assert cleaned.SOPClassUID == identified().SOPClassUID


def test_intervals_stay_where_dates_may() -> None:
    later = identified(
        StudyDate="20250320", AcquisitionDateTime="2025", ContentDate="20250320\\20250321"
    )

    first, second = (deidentified(d, Option.MODIFIED_DATES) for d in (identified(), later))

    assert first.StudyDate != "20240320"
    assert first.StudyDate[:4] < "2024"
    assert int(second.StudyDate[:4]) - int(first.StudyDate[:4]) == 1
    assert first.AcquisitionDateTime == f"{first.StudyDate}101500.5"
    assert len(second.AcquisitionDateTime) == 4
    assert first.StudyTime == "103000"
    assert second.ContentDate[0] == second.StudyDate
    assert first.PatientBirthDate == ""


def test_age_ends_at_ninety() -> None:
    assert deidentified(identified(), Option.PATIENT_CHARACTERISTICS).PatientAge == "090Y"
    young = deidentified(identified(PatientAge="052Y"), Option.PATIENT_CHARACTERISTICS)
    assert young.PatientAge == "052Y"
    assert (
        deidentified(identified(PatientAge="009M"), Option.PATIENT_CHARACTERISTICS).PatientAge
        == "009M"
    )
    assert "PatientAge" not in deidentified(identified())


@pytest.mark.parametrize(
    ("description", "stays"),
    [
        ("OCT RNFL circle scan, OD 12°", True),
        ("OCT Adaeze", False),
        ("Scan for Dr Miller", False),
        ("OCT 19340709", False),
    ],
)
def test_descriptions_stay_where_they_hold_words_of_the_field(
    description: str, stays: bool
) -> None:
    cleaned = deidentified(identified(SeriesDescription=description), Option.CLEAN_DESCRIPTORS)

    assert (cleaned.get("SeriesDescription") == description) is stays
    assert "SeriesDescription" not in deidentified(identified(SeriesDescription=description))


def test_device_stays_by_option_only() -> None:
    dataset = identified(StationName="OCT-1", DeviceUID="1.2.840.5.5")

    kept, removed = deidentified(dataset, Option.DEVICE_IDENTITY), deidentified(dataset)

    assert (kept.DeviceSerialNumber, kept.StationName, kept.DeviceUID) == (
        "SN-31337",
        "OCT-1",
        "1.2.840.5.5",
    )
    assert removed.DeviceSerialNumber == "Removed"
    assert removed.DeviceUID.startswith("2.25.")
    assert removed.Manufacturer == "Maker"


def test_names_in_unexpected_places_are_caught_in_any_script() -> None:
    dataset = identified(
        PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう",
        ManufacturerModelName="Spectralis of YAMADA",
        SoftwareVersions=["1.0", "山田太郎"],
        AcquisitionContextSequence=[],
        AcquisitionDeviceTypeCodeSequence=[
            _code("A-1", "SCT", "Tarou's syndrome"),
            _code("B-1", "99LOCAL", "for tarou"),
        ],
    )

    cleaned = deidentified(dataset)

    assert cleaned.ManufacturerModelName == "Removed"
    assert cleaned.SoftwareVersions == "Removed"
    meanings = [item.CodeMeaning for item in cleaned.AcquisitionDeviceTypeCodeSequence]
    assert meanings == ["Tarou's syndrome", "Removed"]


def test_unreadable_attributes_go() -> None:
    file = as_file(identified())
    tag = Tag("Rows")
    file[tag] = RawDataElement(tag, "US", 3, b"abc", 0, False, True)

    Deidentifier(NAMES).deidentify(file, PERSON)

    assert "Rows" not in file


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item
