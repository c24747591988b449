from typing import Any

import pytest
from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import OphthalmicTomographyImageStorage

from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import Device
from dicom_node.devices.description import ScanDescription, describe
from tests.builders.opt import SCANNED_AT, build_circle_opt, build_line_opt, build_localizer


def test_description_of_a_scan_says_all_that_is_certain() -> None:
    dataset = build_circle_opt(laterality=Laterality.LEFT, age_years=50.0)
    dataset.Manufacturer, dataset.ManufacturerModelName = "Maker", "Model\0garbage"
    dataset.DeviceSerialNumber = "12"

    said = describe(dataset)

    assert said.age_years == pytest.approx(50.0, abs=0.01)
    assert said == ScanDescription(
        sop_class_uid=OphthalmicTomographyImageStorage,
        device=Device("Maker", "Model", "12"),
        laterality=Laterality.LEFT,
        laterality_refusal=None,
        acquired_at=SCANNED_AT,
        age_years=said.age_years,
    )


def test_description_of_nothing_says_nothing() -> None:
    said = describe(Dataset())

    assert said.laterality_refusal is not None
    assert said == ScanDescription("", Device(), None, said.laterality_refusal, None, None)


def test_description_names_the_eye_of_a_scan_refused_for_something_else() -> None:
    assert describe(build_line_opt()).laterality is Laterality.RIGHT


@pytest.mark.parametrize(
    ("dataset", "localizer", "code"),
    [
        (build_circle_opt(frame_laterality="L"), None, ReasonCode.LATERALITY_CONFLICT),
        (
            build_circle_opt(),
            build_localizer(ImageLaterality="L"),
            ReasonCode.LATERALITY_CONFLICT,
        ),
    ],
)
def test_description_gives_the_reason_for_an_uncertain_eye(
    dataset: Dataset, localizer: Dataset | None, code: ReasonCode
) -> None:
    said = describe(dataset, localizer)

    assert said.laterality is None
    assert said.laterality_refusal is not None
    assert said.laterality_refusal.code is code


@pytest.mark.parametrize(
    ("keyword", "vr", "value"),
    [
        ("PatientBirthDate", "LO", "not a date"),
        ("AcquisitionDateTime", "LO", b"\xff\xfe"),
        ("ImageLaterality", "US", 7),
        ("Manufacturer", "FD", 1.5),
        ("SOPClassUID", "SQ", []),
        ("PatientAge", "AT", 0x00100010),
        ("PerFrameFunctionalGroupsSequence", "LO", "no sequence"),
        ("SharedFunctionalGroupsSequence", "OB", b"\0"),
        ("SpecificCharacterSet", "CS", "ISO_IR NONE"),
    ],
)
def test_description_survives_values_of_the_wrong_kind(keyword: str, vr: str, value: Any) -> None:
    dataset = build_circle_opt()
    dataset.pop(Tag(keyword), None)
    dataset.add(DataElement(Tag(keyword), vr, value, validation_mode=config.IGNORE))

    assert isinstance(describe(dataset), ScanDescription)
