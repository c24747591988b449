from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    OphthalmicPhotography16BitImageStorage,
    VLPhotographicImageStorage,
    WideFieldOphthalmicPhotography3DCoordinatesImageStorage,
    WideFieldOphthalmicPhotographyStereographicProjectionImageStorage,
)

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import Reason, ReasonCode
from core.values.scan import FundusGeometry, ScanKind
from dicom_node.devices.fundus_localizer import belongs_to_scan
from dicom_node.devices.reading import read_scan
from tests.builders.opt import SCANNED_AT, build_circle_opt, build_localizer
from tests.builders.photograph import as_form, build_photograph, code_item

GREY = np.full((32, 32), 120, np.uint8)


def refusal_of(dataset: Dataset) -> Reason:
    with pytest.raises(ScanRefused) as refusal:
        read_scan(dataset)
    return refusal.value.reason


@pytest.mark.parametrize("laterality", Laterality)
def test_photograph_becomes_a_scan_of_its_eye(laterality: Laterality) -> None:
    scan = read_scan(build_photograph(laterality=laterality, age_years=50.0))

    assert (scan.kind, scan.laterality) == (ScanKind.FUNDUS, laterality)
    assert (scan.acquired_at, scan.notes) == (SCANNED_AT, ())
    assert scan.age_years == pytest.approx(50.0, abs=0.01)
    assert isinstance(scan.geometry, FundusGeometry)
    assert scan.geometry.temporal_is_right == (laterality is Laterality.LEFT)
    assert np.isnan([scan.axial_um, scan.lateral_um]).all()


def test_real_photograph_is_read_in_its_own_colours(shared_data: Path) -> None:
    pixels = np.asarray(Image.open(shared_data / "fundus" / "skimage_retina.jpg"))
    photograph = build_photograph(laterality=Laterality.LEFT, pixels=pixels)

    scan = read_scan(photograph)

    assert scan.laterality is Laterality.LEFT
    assert np.abs(scan.pixels * 255 - pixels).mean() < 2
    red, green, blue = scan.pixels.mean(axis=(0, 1))
    assert red > green > blue


@pytest.mark.parametrize(
    ("keywords", "code"),
    [
        ({"ImageLaterality": None}, ReasonCode.LATERALITY_MISSING),
        ({"ImageLaterality": "X"}, ReasonCode.LATERALITY_MISSING),
        ({"ImageLaterality": "B"}, ReasonCode.LATERALITY_BOTH),
        ({"Laterality": "L"}, ReasonCode.LATERALITY_CONFLICT),
        ({"BurnedInAnnotation": "YES"}, ReasonCode.DERIVED_OR_BURNED_IN),
        ({"ImageType": ["DERIVED", "PRIMARY"]}, ReasonCode.DERIVED_OR_BURNED_IN),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "MONTAGE"]}, ReasonCode.SCAN_PATTERN_UNSUPPORTED),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "", "FA"]}, ReasonCode.NOT_MODEL_INPUT),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "", "ICG"]}, ReasonCode.NOT_MODEL_INPUT),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "", "RED"]}, ReasonCode.NOT_MODEL_INPUT),
        ({"ContrastBolusAgent": "Fluorescein"}, ReasonCode.NOT_MODEL_INPUT),
        (
            {"ContrastBolusAgentSequence": code_item("350086004")},
            ReasonCode.NOT_MODEL_INPUT,
        ),
        ({"SeriesDescription": "FAF 488 nm"}, ReasonCode.NOT_MODEL_INPUT),
        ({"SeriesDescription": "Autofluorescence"}, ReasonCode.NOT_MODEL_INPUT),
        ({"ProtocolName": "Fluorescein angiography"}, ReasonCode.NOT_MODEL_INPUT),
        (
            {"AcquisitionDeviceTypeCodeSequence": code_item("397247004")},
            ReasonCode.NOT_MODEL_INPUT,
        ),
        (
            {"AcquisitionDeviceTypeCodeSequence": code_item("R-1021B", "SRT")},
            ReasonCode.NOT_MODEL_INPUT,
        ),
        (
            {"AcquisitionDeviceTypeCodeSequence": code_item("392012008")},
            ReasonCode.NOT_MODEL_INPUT,
        ),
        ({"AnatomicRegionSequence": code_item("28726007")}, ReasonCode.NOT_MODEL_INPUT),
        ({"AnatomicRegionSequence": code_item("T-AA500", "SRT")}, ReasonCode.NOT_MODEL_INPUT),
        (
            {"SOPClassUID": WideFieldOphthalmicPhotographyStereographicProjectionImageStorage},
            ReasonCode.SCAN_PATTERN_UNSUPPORTED,
        ),
        (
            {"SOPClassUID": WideFieldOphthalmicPhotography3DCoordinatesImageStorage},
            ReasonCode.SCAN_PATTERN_UNSUPPORTED,
        ),
        ({"PatientOrientation": ["F", "L"]}, ReasonCode.PATTERN_UNKNOWN),
    ],
)
def test_photograph_that_must_not_be_scored_says_why(keywords: dict, code: ReasonCode) -> None:
    reason = refusal_of(build_photograph(**keywords))

    assert reason.code is code
    assert reason.message.endswith(".")


@pytest.mark.parametrize(
    "keywords",
    [
        {"ImageType": ["ORIGINAL", "PRIMARY"]},
        {"ImageType": ["ORIGINAL", "PRIMARY", "", "REDFREE"]},
        {"AnatomicRegionSequence": code_item("81745001")},
        {"AnatomicRegionSequence": Sequence()},
        {"AnatomicRegionSequence": code_item("99.1", "99MAKER")},
        {"AcquisitionDeviceTypeCodeSequence": Sequence()},
        {"AcquisitionDeviceTypeCodeSequence": code_item("392001008")},
        {"SeriesDescription": "CR-2 AF colour"},
        {"SOPClassUID": OphthalmicPhotography16BitImageStorage},
    ],
)
def test_other_photographs_of_the_fundus_are_read(keywords: dict) -> None:
    assert read_scan(build_photograph(**keywords)).kind is ScanKind.FUNDUS


def test_grey_photograph_of_a_fundus_camera_is_read() -> None:
    scan = read_scan(as_form(build_photograph(), GREY, "MONOCHROME2"))

    assert scan.pixels.shape == (32, 32, 1)


@pytest.mark.parametrize(
    "keywords",
    [
        {"AcquisitionDeviceTypeCodeSequence": code_item("392001008")},
        {"AcquisitionDeviceTypeCodeSequence": code_item("A-00E8A", "SRT")},
        {"Manufacturer": "Heidelberg Engineering"},
        {"ManufacturerModelName": "CIRRUS HD-OCT 5000"},
        {"ManufacturerModelName": "3DOCT-1Maestro2"},
    ],
)
def test_grey_picture_of_a_device_for_oct_is_its_localizer(keywords: dict) -> None:
    photograph = as_form(build_photograph(**keywords), GREY, "MONOCHROME2")

    assert refusal_of(photograph).code is ReasonCode.NOT_MODEL_INPUT


def test_localizers_of_simulated_and_of_real_scans_are_never_read(shared_data: Path) -> None:
    real = sorted((shared_data / "oct").glob("*/localizer_op.dcm"))
    assert len(real) == 2

    for localizer in (build_localizer(), *map(dcmread, real)):
        # A localizer is one whatever else is wrong with it.
        del localizer.ImageLaterality
        assert refusal_of(localizer).code is ReasonCode.NOT_MODEL_INPUT


@pytest.mark.parametrize(
    ("keywords", "is_read"),
    [
        ({"Modality": "OP"}, True),
        ({"Modality": "OP", "AnatomicRegionSequence": Sequence()}, True),
        ({"Modality": "XC"}, True),
        ({"Modality": "XC", "AnatomicRegionSequence": code_item("81745001")}, False),
        ({"Modality": "XC", "AnatomicRegionSequence": code_item("39937001")}, False),
        ({"Modality": "OP", "AnatomicRegionSequence": code_item("39937001")}, False),
        ({"Modality": "XC", "AnatomicRegionSequence": Sequence()}, False),
    ],
    ids=["OP", "OP, no region", "retina", "outer eye", "skin", "OP, skin", "no region"],
)
def test_general_photograph_must_say_that_it_shows_the_retina(
    keywords: dict, is_read: bool
) -> None:
    photograph = build_photograph(SOPClassUID=VLPhotographicImageStorage, **keywords)

    if is_read:
        assert read_scan(photograph).kind is ScanKind.FUNDUS
    else:
        assert refusal_of(photograph).code is ReasonCode.NOT_MODEL_INPUT


def test_photograph_an_oct_scan_refers_to_belongs_to_it() -> None:
    scan, localizer = build_circle_opt(key="a"), build_localizer(key="a")
    localizer.Manufacturer = "Another"

    assert belongs_to_scan(localizer, scan)


def test_photograph_of_the_scans_device_belongs_to_it() -> None:
    photograph, scan = build_photograph(key="a"), build_circle_opt(key="a")
    assert not belongs_to_scan(photograph, scan)

    photograph.ManufacturerModelName = scan.ManufacturerModelName

    assert belongs_to_scan(photograph, scan)


def test_photograph_of_an_unnamed_device_is_not_taken_for_another_one() -> None:
    photograph, scan = build_photograph(key="a"), build_circle_opt(key="a")
    for dataset in (photograph, scan):
        for keyword in ("Manufacturer", "ManufacturerModelName", "DeviceSerialNumber"):
            delattr(dataset, keyword)

    assert not belongs_to_scan(photograph, scan)


@pytest.mark.parametrize("keyword", ["ImageLaterality", "PatientOrientation", "Modality"])
def test_nothing_of_the_patient_is_quoted(keyword: str) -> None:
    """Names have been found in attributes that are made for something else."""
    photograph = build_photograph(SOPClassUID=VLPhotographicImageStorage, **{keyword: "SMITH"})
    photograph.AnatomicRegionSequence = Sequence()

    assert "SMITH" not in refusal_of(photograph).message
